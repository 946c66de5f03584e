-- The database of HotSwap and its four roles. Run by a superuser, as often as you like:
--   psql --set=ON_ERROR_STOP=1 --set=database=hotswap --file=deploy/roles.sql postgres
-- The roles have no password; for a server that is reached over the network set one each:  \password hotswap_web
--
--   hotswap_owner     owns the tables; only migrations use it
--   hotswap_web       the web processes
--   hotswap_system    worker and beat
--   hotswap_instance  the plugin hosts: nothing but what a migration grants by name
--
-- None may bypass row-level security. Migrations narrow what is given here, table by table.
\if :{?database}
\else
\set database hotswap
\endif

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['hotswap_owner', 'hotswap_web', 'hotswap_system', 'hotswap_instance']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE hotswap_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE hotswap_web LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE hotswap_system LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE hotswap_instance LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

SELECT format('CREATE DATABASE %I OWNER hotswap_owner', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

SELECT format('ALTER DATABASE %I OWNER TO hotswap_owner', :'database') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO hotswap_web, hotswap_system, hotswap_instance', :'database') \gexec

\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO hotswap_web, hotswap_system, hotswap_instance;
ALTER DEFAULT PRIVILEGES FOR ROLE hotswap_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO hotswap_web, hotswap_system;
ALTER DEFAULT PRIVILEGES FOR ROLE hotswap_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO hotswap_web, hotswap_system;
