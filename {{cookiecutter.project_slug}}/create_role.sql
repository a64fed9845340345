-- Production: PostgreSQL runs this once, when the volume is new. The service's role owns its database and nothing else.
\set password `cat /run/secrets/database_password`
CREATE ROLE app LOGIN PASSWORD :'password';
CREATE DATABASE app OWNER app;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
