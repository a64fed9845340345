"""Check that the interpreter has the modules of a public image's."""

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

IMPORTED = (asyncio, bz2, curses, lzma, ssl, venv, zlib)

increment = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
if increment(41) != 42:
    sys.exit("error: a ctypes callback does not work")
sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE words USING fts5(word)")
zoneinfo.ZoneInfo("Europe/Paris")
uuid.uuid1()
hashlib.new("sha3_256")
print(sys.version.split()[0], sysconfig.get_config_var("SOABI"), ssl.OPENSSL_VERSION, sqlite3.sqlite_version)
