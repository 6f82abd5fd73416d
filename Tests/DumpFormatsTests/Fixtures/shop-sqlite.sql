-- A small shop with names and texts that imitate the lines of a dump.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'it''s
COMMIT;
', note TEXT -- it's a comment
);
CREATE TABLE "or'ders
COMMIT;
x" (id INTEGER, [bra'cket] BLOB, "dq""uote" TEXT, `tick'ed` TEXT);
WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40)
INSERT INTO customers SELECT i, 'name ' || i, 'it''s a line' || char(10) || 'COMMIT;' || char(10) || i FROM s;
INSERT INTO "or'ders
COMMIT;
x" SELECT id, randomblob(8), NULL, 'ROLLBACK; -- due to errors' FROM customers;
CREATE VIEW v AS SELECT 'it''s
COMMIT;
' AS q, /* a ' comment
COMMIT;
*/ id FROM customers;
CREATE INDEX ci ON customers(name);
CREATE TRIGGER tr AFTER INSERT ON customers BEGIN
  -- it's
  UPDATE customers SET note = 'x
COMMIT;
' WHERE id < 0;
END;
