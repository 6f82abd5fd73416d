-- A small shop with names and texts that imitate the lines of a dump. Load with mariadb --comments.
DROP DATABASE IF EXISTS shop; DROP DATABASE IF EXISTS `odd``name`; DROP DATABASE IF EXISTS empty;
CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE DATABASE `odd``name`; CREATE DATABASE empty;
USE shop;
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(100) COMMENT 'it''s\n-- Dump completed\n a name', note TEXT, CHECK (name <> 'x\n-- Dump completed\ny')) COMMENT='line one\n-- Dump completed on 2026-11-21  4:04:29\n';
CREATE TABLE orders (id INT PRIMARY KEY, customer INT, total DECIMAL(10,2), data BLOB, t TEXT DEFAULT (concat('a\n-- Dump completed\n','b')), KEY(customer));
CREATE TABLE `evil
Dump completed
-- Dump completed
x` (`c
-- Dump completed on 2026-11-21  4:04:29
c` INT, `q'uote"` INT);
INSERT INTO `evil
Dump completed
-- Dump completed
x` VALUES (1,2),(3,4);
INSERT INTO customers SELECT seq, concat('name ', seq), concat('line one\n-- Dump completed on 2026-11-21  4:04:29\nit''s "quoted" \\ back', seq) FROM seq_1_to_12;
INSERT INTO orders (id, customer, total, data) SELECT seq, 1 + seq % 40, seq * 1.37, unhex(sha2(seq, 256)) FROM seq_1_to_60;
CREATE VIEW v AS SELECT id, 'it''s\n-- Dump completed\n' AS q, name FROM customers;
CREATE VIEW `v
Dump completed
x` AS SELECT 1 AS `a
-- Dump completed
b`;
DELIMITER ;;
CREATE PROCEDURE p1() COMMENT 'x
-- Dump completed
'
BEGIN
  -- it's a comment; /* not open
  # another 'comment
  /* block ' comment
-- Dump completed on 2026-11-21  4:04:29
DELIMITER ;
-- Dump completed on 2026-11-21  4:04:29
  */
  SELECT 'a string
-- Dump completed on 2026-11-21  4:04:29
DELIMITER ;
with \' quotes '' and "', "dq ' \" 
-- Dump completed
", `id` FROM customers;
  SELECT 1 AS -- ;;
  DELIMITER ;
  SELECT 2;
END;;
SET sql_mode='NO_BACKSLASH_ESCAPES,ANSI_QUOTES';;
CREATE PROCEDURE p2() BEGIN SELECT 'ends with backslash \', "id" FROM customers; /*!50003 SELECT 'exec' */; END;;
SET sql_mode=DEFAULT;;
CREATE FUNCTION f1(a INT) RETURNS INT DETERMINISTIC RETURN a + 1;;
CREATE TRIGGER tr BEFORE INSERT ON orders FOR EACH ROW BEGIN
  -- Dump completed
  /* c */
  SET NEW.total = NEW.total + 1 -- minus 1
  ;
END;;
CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY DO BEGIN
-- Dump completed
 DELETE FROM orders WHERE id < 0 AND total = 'it''s'; END;;
SET sql_mode='NO_BACKSLASH_ESCAPES';;
CREATE EVENT e2 ON SCHEDULE EVERY 1 DAY COMMENT 'say \' DO SELECT 'c:\';;
SET sql_mode=DEFAULT;;
DELIMITER ;
CREATE SEQUENCE sq;
USE `odd``name`;
CREATE TABLE `we``ird 'tab"le` (a INT, b TEXT) PARTITION BY HASH(a) PARTITIONS 3;
INSERT INTO `we``ird 'tab"le` VALUES (1,'x'),(2,NULL);
