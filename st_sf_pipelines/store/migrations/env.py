"""Alembic's entry: run the steps on the connection that `store.database.migrate` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="sync", transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
