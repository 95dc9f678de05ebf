// Compile-only: the pools that applications have fit the stores as they are.
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';
import mysqlCallback from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';

postgresStore(new pg.Pool());
postgresStore('postgres://localhost/shop', { schema: 'app', table: 'sessions', unlogged: true });
// @ts-expect-error: the settings of a pool are not a pool
postgresStore({ connectionString: 'postgres://localhost/shop' });
// @ts-expect-error: no such option
postgresStore('postgres://localhost/shop', { tableName: 'sessions' });

mysqlStore(mysql.createPool('mysql://localhost/shop'));
mysqlStore(mysqlCallback.createPool('mysql://localhost/shop'));
mysqlStore('mysql://localhost/shop', { table: 'sessions' });
// @ts-expect-error: one connection is not a pool
mysqlStore(await mysql.createConnection('mysql://localhost/shop'));
// @ts-expect-error: the settings of a pool are not a pool
mysqlStore({ uri: 'mysql://localhost/shop' });
