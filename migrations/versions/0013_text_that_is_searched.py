"""Full-text search over what was read"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # Jobs that there are become searchable one by one: the Worker finds them by the index below.
    op.add_column("job", sa.Column("text_indexed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "job_text_to_index",
        "job",
        ["ended_us"],
        unique=False,
        sqlite_where=sa.text("status = 'FINISHED' AND NOT text_indexed"),
        postgresql_where=sa.text("status = 'FINISHED' AND NOT text_indexed"),
    )
    op.create_table(
        "page_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("page_text_of_job", "page_text", ["job_uuid", "number"], unique=True)
    op.create_table(
        "text_removal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("purged", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="text_removal_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO text_removal (id, removed, purged) VALUES (1, 0, 0)")
    for statement in _INDEX[op.get_context().dialect.name]:
        op.execute(statement)


_INDEX = {
    "sqlite": (
        (
            "CREATE VIRTUAL TABLE page_text_index USING fts5(user_id, text, content='page_text', content_rowid='id', "
            "tokenize='unicode61 remove_diacritics 2')"
        ),
        (
            "CREATE TRIGGER page_text_indexed AFTER INSERT ON page_text BEGIN "
            "INSERT INTO page_text_index (rowid, user_id, text) VALUES (NEW.id, NEW.user_id, NEW.text); END"
        ),
        (
            "CREATE TRIGGER page_text_removed AFTER DELETE ON page_text BEGIN "
            "INSERT INTO page_text_index (page_text_index, rowid, user_id, text) VALUES ('delete', OLD.id, OLD.user_id, OLD.text); "
            "UPDATE text_removal SET removed = removed + 1; END"
        ),
    ),
    "postgresql": ("CREATE INDEX page_text_index ON page_text USING gin (to_tsvector('simple', text))",),
}
