"""Whether the interpreter that was built has what a public image's has."""

import asyncio
import bz2
import ctypes
import curses
import hashlib
import lzma
import sqlite3
import ssl
import sys
import sysconfig
import uuid
import venv
import zlib
import zoneinfo

PRESENT = (asyncio, bz2, curses, lzma, ssl, venv, zlib)

called_back = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)(41)
if called_back != 42:
    sys.exit("error: ctypes can't be called back")
sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE words USING fts5(word)")
zoneinfo.ZoneInfo("Europe/Paris")
uuid.uuid1()
hashlib.new("sha3_256")
print(sys.version.split()[0], sysconfig.get_config_var("SOABI"), ssl.OPENSSL_VERSION, sqlite3.sqlite_version)
