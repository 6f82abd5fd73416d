-- Fills a server with some thirty megabytes of everything that a dump has to get right: every kind of column, NULLs,
-- bytes that are no text, text in many scripts, long lines, empty tables, several engines, and all that is not rows.
-- Nothing here is random: two servers filled by this script hold the same. For mariadb --comments: a comment counts.
SET NAMES utf8mb4;
SET SESSION time_zone = '+00:00';
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';

CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE DATABASE `odd ``names``` CHARACTER SET utf8mb4;
CREATE DATABASE empty_one;
USE shop;

CREATE TABLE customers (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(120) NOT NULL,
    email VARCHAR(160) UNIQUE,
    born DATE,
    balance DECIMAL(18, 4) NOT NULL DEFAULT 0,
    notes TEXT,
    created DATETIME(6) NOT NULL,
    KEY (born)
) ENGINE = InnoDB;
INSERT INTO customers (name, email, born, balance, notes, created)
    SELECT CONCAT(ELT(1 + seq MOD 6, 'Ada', 'Grace', 'Zoë', 'Łukasz', '张伟', 'Олена'), ' ', MD5(seq)),
        CONCAT(SHA1(seq), '@example.org'),
        IF(seq MOD 7 = 0, NULL, DATE '1940-01-01' + INTERVAL (seq * 37 MOD 25000) DAY),
        (CAST(seq AS SIGNED) - 10000) * 1.2345,
        CASE seq MOD 5 WHEN 0 THEN NULL WHEN 1 THEN ''
            WHEN 2 THEN REPEAT(CONCAT('it''s "quoted" \\ and\nbroken\r\tlines ', seq, ' '), 3)
            WHEN 3 THEN '-- Dump completed on 2026-01-01  0:00:00\n'
            ELSE CONCAT('😀 смайл 笑 ', seq) END,
        TIMESTAMP '2020-01-01 00:00:00.000001' + INTERVAL seq * 7919 SECOND
    FROM seq_1_to_40000;

CREATE TABLE orders (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    customer INT UNSIGNED NOT NULL,
    state ENUM ('new', 'paid', 'sent', 'it''s back') NOT NULL,
    flags SET ('gift', 'fragile', 'heavy'),
    total DOUBLE,
    changed TIMESTAMP NULL,
    FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE
) ENGINE = InnoDB;
INSERT INTO orders (customer, state, flags, total, changed)
    SELECT 1 + seq * 7 MOD 40000, 1 + seq MOD 4, seq MOD 8,
        IF(seq MOD 11 = 0, NULL, seq / 7), IF(seq MOD 13 = 0, NULL, TIMESTAMP '2024-02-29 00:00:00' + INTERVAL seq SECOND)
    FROM seq_1_to_150000;

CREATE TABLE pictures (id INT PRIMARY KEY, kind VARBINARY(20), body MEDIUMBLOB) ENGINE = InnoDB;
INSERT INTO pictures
    SELECT seq, CONCAT(0x00FF, CHAR(seq MOD 256), 0x271A0D0A5C),
        REPEAT(UNHEX(CONCAT(SHA2(seq, 512), SHA2(CONCAT('b', seq), 512), '00ff1a275c220d0a')), 1 + seq MOD 64)
    FROM seq_1_to_1000;
INSERT INTO pictures VALUES (0, NULL, NULL), (-1, '', ''), (-2, 'large', REPEAT(UNHEX(SHA2('x', 256)), 60000));

CREATE TABLE stories (id INT PRIMARY KEY, body LONGTEXT) ENGINE = InnoDB;
INSERT INTO stories SELECT seq, REPEAT(CONCAT('Once upon ', seq, ' times; '), 20000) FROM seq_1_to_5;

CREATE TABLE every_kind (
    id INT PRIMARY KEY,
    tiny TINYINT, small SMALLINT UNSIGNED, medium MEDIUMINT, bits BIT(17), yes BOOLEAN,
    single FLOAT, exact DECIMAL(65, 30), day DATE, clock TIME(3), moment DATETIME(3), yr YEAR,
    letters CHAR(10), latin VARCHAR(50) CHARACTER SET latin1, bytes BINARY(16), doc JSON,
    place POINT, who UUID, address INET6, small_blob TINYBLOB
) ENGINE = InnoDB;
INSERT INTO every_kind VALUES
    (1, -128, 65535, -8388608, b'10101010101010101', TRUE, 1.5, -12345678901234567890.123456789012345678901234567890,
        '9999-12-31', '-838:59:59.000', '1000-01-01 00:00:00.001', 1901, ' padded ', 'Crème brûlée', 'sixteen bytes...',
        '{"a": [1, null, "ü"], "b": {"c": "\\"quoted\\""}}', POINT(1.25, -2.5), '123e4567-e89b-12d3-a456-426655440000', '2001:db8::1', 0x00),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE in_aria (id INT PRIMARY KEY, v VARBINARY(40)) ENGINE = Aria;
INSERT INTO in_aria SELECT seq, UNHEX(MD5(seq)) FROM seq_1_to_5000;
CREATE TABLE in_myisam (id INT PRIMARY KEY, v VARCHAR(40), FULLTEXT (v)) ENGINE = MyISAM;
INSERT INTO in_myisam SELECT seq, MD5(seq) FROM seq_1_to_5000;
CREATE TABLE in_parts (id INT NOT NULL, v INT, PRIMARY KEY (id)) ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 4;
INSERT INTO in_parts SELECT seq, seq * seq MOD 997 FROM seq_1_to_5000;
CREATE TABLE derived (id INT PRIMARY KEY, v DOUBLE, half DOUBLE AS (v / 2) VIRTUAL, twice DOUBLE AS (v * 2) STORED) ENGINE = InnoDB;
INSERT INTO derived (id, v) SELECT seq, IF(seq MOD 3 = 0, NULL, seq / 7) FROM seq_1_to_1000;
CREATE TABLE no_rows (id INT PRIMARY KEY) ENGINE = InnoDB;
CREATE TABLE no_key (v INT) ENGINE = InnoDB;
INSERT INTO no_key VALUES (1), (1), (NULL);
CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 10;
DO NEXTVAL(numbers);

CREATE VIEW rich AS SELECT id, name, balance FROM customers WHERE balance > 10000;
CREATE VIEW rich_orders AS SELECT o.id, r.name FROM orders o JOIN rich r ON r.id = o.customer;
DELIMITER //
CREATE FUNCTION double_it(n INT) RETURNS INT DETERMINISTIC
BEGIN
-- Dump completed on 2026-01-01  0:00:00
    RETURN n * 2;
END //
CREATE PROCEDURE order_count(IN who INT, OUT n INT)
BEGIN
    SELECT COUNT(*) INTO n FROM orders WHERE customer = who;
END //
CREATE TRIGGER customers_before BEFORE INSERT ON customers FOR EACH ROW
BEGIN
    SET NEW.name = TRIM(NEW.name);
END //
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01 00:00:00' DISABLE DO
BEGIN
    DELETE FROM orders WHERE changed < '2000-01-01';
END //
DELIMITER ;

USE `odd ``names```;
CREATE TABLE `a table; -- with 'marks'` (`the "key"` INT PRIMARY KEY, `größe` VARCHAR(20)) ENGINE = InnoDB;
INSERT INTO `a table; -- with 'marks'` VALUES (1, 'größer'), (2, NULL);

CREATE USER reader@localhost IDENTIFIED BY 'secret of the reader';
GRANT SELECT ON shop.* TO reader@localhost;
