"""What alembic runs: every migration on the connection handed over by `api.schema.upgrade`."""

from alembic import context

from api.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
