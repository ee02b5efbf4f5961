"""The events of jobs, in order, for those who follow them live"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# What happened before gets the next numbers, in the order of its times. When a page ended was not kept: before its job's end, or
# after the latest status of a job that has not ended.
PAST = """
INSERT INTO job_event
    (change, job_uuid, user_id, kind, "timestamp", page_number, page_count, pages_done, pages_failed)
SELECT (SELECT value FROM change_counter) + row_number() OVER (ORDER BY past.at, past.job_uuid, past.place, past.page_number),
    past.job_uuid, past.user_id, past.kind, past.at, past.page_number, past.page_count, past.pages_done, past.pages_failed
FROM (
    SELECT t.job_uuid, j.user_id, CASE WHEN t."timestamp" = j.ended_us THEN 'end' ELSE 'status' END AS kind, t."timestamp" AS at, 1 AS place, NULL AS page_number,
        CASE WHEN t."timestamp" = j.ended_us THEN j.page_count END AS page_count,
        CASE WHEN t."timestamp" = j.ended_us THEN j.pages_done ELSE 0 END AS pages_done,
        CASE WHEN t."timestamp" = j.ended_us THEN j.pages_failed ELSE 0 END AS pages_failed
    FROM job_status_transition t JOIN job j ON j.uuid = t.job_uuid
    UNION ALL
    SELECT p.job_uuid, j.user_id, 'page',
        COALESCE(j.ended_us, (SELECT max(t."timestamp") FROM job_status_transition t WHERE t.job_uuid = j.uuid)),
        CASE WHEN j.ended_us IS NULL THEN 2 ELSE 0 END, p.number, j.page_count,
        row_number() OVER (PARTITION BY p.job_uuid ORDER BY p.number),
        count(p.error_code) OVER (PARTITION BY p.job_uuid ORDER BY p.number)
    FROM job_page p JOIN job j ON j.uuid = p.job_uuid
) AS past
"""


def upgrade() -> None:
    op.create_table(
        "job_event",
        sa.Column("change", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=True),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("pages_done", sa.Integer(), nullable=False),
        sa.Column("pages_failed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("change"),
    )
    op.execute(PAST)
    op.execute("UPDATE change_counter SET value = value + (SELECT count(*) FROM job_event)")
    op.create_index("job_event_of_job", "job_event", ["job_uuid", "change"], unique=False)
    op.create_index("job_event_of_user", "job_event", ["user_id", "change"], unique=False)
    passing = sa.text("kind <> 'end'")
    op.create_index(
        "job_event_to_forget",
        "job_event",
        ["timestamp"],
        unique=False,
        sqlite_where=passing,
        postgresql_where=passing,
    )
