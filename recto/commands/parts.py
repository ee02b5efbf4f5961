"""What several commands make from the settings: database, File Storage, operations."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from recto.database.connections import connect, upgrade_schema
from recto.file_storage.base import FileStorage
from recto.file_storage.opening import prepare_storage
from recto.jobs import Jobs, QueuePolicy
from recto.records.retention import RetentionPolicy
from recto.settings import Settings


def open_database(settings: Settings) -> Engine:
    """The database, with the newest schema."""
    open_storage(settings)
    engine = connect_database(settings)
    upgrade_schema(engine)
    return engine


def connect_database(settings: Settings) -> Engine:
    """The database as it is."""
    return connect(settings.database_url, settings.database.busy_timeout_s)


def open_sessions(settings: Settings) -> sessionmaker[Session]:
    """Sessions on the database, with the newest schema."""
    return sessionmaker(open_database(settings))


def connect_sessions(settings: Settings) -> sessionmaker[Session]:
    """Sessions on a database that is there already, at the newest schema."""
    return sessionmaker(connect_database(settings))


def open_storage(settings: Settings) -> FileStorage:
    """The File Storage, with its folder in place."""
    return prepare_storage(settings.file_storage.setup)


def job_operations(settings: Settings) -> Jobs:
    """The operations on jobs under the settings' policy."""
    retention = RetentionPolicy(settings.retention.default_s, settings.retention.longest_s)
    return Jobs(QueuePolicy(**settings.queue.model_dump()), retention=retention)
