"""Alembic's environment: the connection is given by ``gateway.control.acts.database``."""

from alembic import context

from gateway.control.acts.rows import Model
from gateway.control.features import FEATURES

assert FEATURES  # their rows are in the metadata
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
