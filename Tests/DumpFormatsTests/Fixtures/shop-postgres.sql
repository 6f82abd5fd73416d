-- A small shop with names and texts that imitate the lines of a dump.
CREATE SCHEMA s2;
CREATE TABLE customers (id int primary key, name text default E'a\n-- PostgreSQL database dump complete\n\\restricted x', note text);
COMMENT ON TABLE customers IS E'it''s\n-- PostgreSQL database dump complete\n\n--\n\\.\nCOPY public.x (a) FROM stdin;\n';
COMMENT ON COLUMN customers.name IS E'back\\slash\n$$ -- x';
CREATE TABLE s2."Or""d'ers
-- PostgreSQL database dump complete
x" (id int, "c$ol
-- PostgreSQL database dump complete
y" text, js jsonb, b bytea);
INSERT INTO customers SELECT i, 'name '||i, E'line\n-- PostgreSQL database dump complete\n\\.\nit''s $$ "q" /* '||i FROM generate_series(1,15) i;
INSERT INTO s2."Or""d'ers
-- PostgreSQL database dump complete
x" SELECT i, E'x\n\\.\n);\n', '{"a":"it''s"}', decode(md5(i::text),'hex') FROM generate_series(1,40) i;
INSERT INTO s2."Or""d'ers
-- PostgreSQL database dump complete
x" VALUES (0, NULL, NULL, NULL), (1, '--', '"--"', ''), (2, '\.', null, null);
CREATE FUNCTION f(a int) RETURNS text LANGUAGE plpgsql AS $fn$
DECLARE x text := 'it''s
-- PostgreSQL database dump complete
';
BEGIN
-- PostgreSQL database dump complete
--
/* comment ' " $$ $x$
\unrestrict
-- PostgreSQL database dump
*/
  RETURN $$a$$ || x; END $fn$;
CREATE FUNCTION g(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + length('x
-- PostgreSQL database dump complete
'); SELECT a - -1; END;
CREATE VIEW v AS SELECT id, 'it''s
-- PostgreSQL database dump complete
\\x' AS q, id - (-1) AS m FROM customers;
CREATE VIEW v2 AS SELECT id AS "a
-- PostgreSQL database dump complete
b" FROM customers;
CREATE INDEX ci ON customers(name);
CREATE TABLE parted (a int, b text) PARTITION BY RANGE (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO parted SELECT i, 'p'||i FROM generate_series(0,9) i;
CREATE TABLE nodata (a int);
CREATE MATERIALIZED VIEW mv AS SELECT * FROM customers;
CREATE SEQUENCE sq;
SELECT lo_from_bytea(0, decode(repeat('61', 500),'hex')), lo_from_bytea(0, '\x');
