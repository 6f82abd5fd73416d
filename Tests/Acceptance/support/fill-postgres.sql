-- Fills a cluster with some thirty megabytes of everything that a dump has to get right. Nothing here is random:
-- two clusters filled by this script hold the same. Run in the database `postgres`, as superuser.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE ROLE reader LOGIN;
CREATE ROLE "odd Role""s" NOLOGIN;
CREATE DATABASE shop;
CREATE DATABASE "odd ""names""";
CREATE DATABASE empty_one;

\connect shop
SET client_min_messages = warning;
CREATE TYPE state AS ENUM ('new', 'paid', 'sent', 'it''s back');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);

CREATE TABLE customers (
    id serial PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE,
    born date,
    balance numeric(18, 4) NOT NULL DEFAULT 0,
    notes text,
    created timestamptz NOT NULL
);
INSERT INTO customers (name, email, born, balance, notes, created)
    SELECT (ARRAY['Ada', 'Grace', 'Zoë', 'Łukasz', '张伟', 'Олена'])[1 + i % 6] || ' ' || md5(i::text),
        md5(i::text) || '@example.org',
        CASE WHEN i % 7 <> 0 THEN date '1940-01-01' + (i * 37 % 25000) END,
        (i - 10000) * 1.2345,
        CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN ''
            WHEN 2 THEN repeat(E'it''s "quoted" \\ and\nbroken\r\tlines ' || i || ' ', 3)
            WHEN 3 THEN E'--\n-- PostgreSQL database dump complete\n--\n'
            WHEN 4 THEN E'\\.'
            ELSE '😀 смайл 笑 ' || i END,
        timestamptz '2020-01-01 00:00:00.000001+00' + i * interval '7919 seconds'
    FROM generate_series(1, 40000) i;
CREATE TABLE looks_like_marks (line text);
INSERT INTO looks_like_marks VALUES
    ('-- PostgreSQL database dump complete'), ('-- PostgreSQL database cluster dump complete'),
    ('--'), ('\.'), ('\unrestrict x'), ('-- Dump completed on 2026-01-01  0:00:00'), (NULL), ('\N'), ('');

CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    customer integer NOT NULL REFERENCES customers ON DELETE CASCADE,
    state state NOT NULL,
    amounts integer[],
    total double precision,
    cents bigint GENERATED ALWAYS AS (round((total * 100)::numeric)::bigint) STORED,
    doc jsonb
);
INSERT INTO orders (customer, state, amounts, total, doc)
    SELECT 1 + i * 7 % 40000, (ARRAY['new', 'paid', 'sent', 'it''s back'])[1 + i % 4]::state,
        CASE WHEN i % 5 > 0 THEN ARRAY[i, NULL, -i] END, CASE WHEN i % 11 > 0 THEN i / 7.0 END,
        CASE WHEN i % 3 = 0 THEN jsonb_build_object('n', i, 'tags', jsonb_build_array('ü', NULL, '"')) END
    FROM generate_series(1, 100000) i;

CREATE TABLE pictures (id integer PRIMARY KEY, body bytea);
INSERT INTO pictures
    SELECT i, decode(repeat(md5(i::text) || '00ff275c0d0a', 1 + i % 200), 'hex') FROM generate_series(1, 1500) i;
INSERT INTO pictures VALUES (0, NULL), (-1, ''), (-2, decode(repeat(md5('x'), 60000), 'hex'));
CREATE TABLE stories (id integer PRIMARY KEY, body text);
INSERT INTO stories SELECT i, repeat('Once upon ' || i || ' times; ', 20000) FROM generate_series(1, 5) i;

CREATE TABLE every_kind (
    id integer PRIMARY KEY, small smallint, yes boolean, single real, exact numeric, day date, clock time, moment timestamp,
    span interval, letters char(10), bits bit varying(20), address inet, mac macaddr, who uuid, place point, period tstzrange,
    words tsvector, tree xml, many text[][], one positive, whole customers
);
INSERT INTO every_kind VALUES
    (1, -32768, true, 'NaN', '-12345678901234567890.123456789012345678901234567890', 'infinity', '24:00', '4713-01-01 BC',
        '1 year -2 days', ' padded ', B'1010101', '2001:db8::1/64', '08:00:2b:01:02:03', '123e4567-e89b-12d3-a456-426655440000',
        '(1.25,-2.5)', '[2026-01-01 00:00+00,)', 'a:1 fat:2', '<a b="c">ü</a>', '{{a,"b,c"},{NULL,"\\"}}', 7,
        ROW(1, 'n', 'e', NULL, 0, E'x\ty', '2026-01-01 00:00+00'));
INSERT INTO every_kind (id) VALUES (2);
CREATE TABLE no_rows (id integer PRIMARY KEY);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE in_parts (id integer, v integer) PARTITION BY RANGE (id);
CREATE TABLE in_parts_low PARTITION OF in_parts FOR VALUES FROM (0) TO (2500);
CREATE TABLE in_parts_high PARTITION OF in_parts FOR VALUES FROM (2500) TO (10000);
INSERT INTO in_parts SELECT i, i * i % 997 FROM generate_series(1, 5000) i;
CREATE TABLE parent (id integer);
CREATE TABLE child (more text) INHERITS (parent);
INSERT INTO child VALUES (1, 'one');
CREATE SEQUENCE numbers START 100 INCREMENT 10;
SELECT nextval('numbers') \g /dev/null
SELECT lo_from_bytea(4242, decode(repeat('00ff275c', 50000), 'hex')) \g /dev/null

CREATE VIEW rich AS SELECT id, name, balance FROM customers WHERE balance > 10000;
CREATE MATERIALIZED VIEW rich_kept AS SELECT * FROM rich;
CREATE INDEX ON customers (lower(email));
CREATE FUNCTION double_it(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
-- PostgreSQL database dump complete
SELECT n * 2
$$;
CREATE FUNCTION trim_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := trim(NEW.name);
    RETURN NEW;
END
$$;
CREATE TRIGGER customers_before BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION trim_name();
COMMENT ON TABLE customers IS E'--\n-- PostgreSQL database dump complete\n--';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;

\connect "odd ""names"""
SET client_min_messages = warning;
CREATE SCHEMA "Some Schema";
CREATE TABLE "Some Schema"."a table; -- with 'marks'" ("the ""key""" integer PRIMARY KEY, "größe" text);
INSERT INTO "Some Schema"."a table; -- with 'marks'" VALUES (1, 'größer'), (2, NULL);
