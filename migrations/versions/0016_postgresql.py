"""What PostgreSQL does by triggers: logs that are only added to, and word to those who wait for changes; and its index of words"""

from alembic import op

revision = "0016"
down_revision = "0015"

FUNCTIONS = (
    """
CREATE FUNCTION recto_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'integrity_constraint_violation';
END $$""",
    """
CREATE FUNCTION recto_refuse_while_job_lives() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT 1 FROM job WHERE uuid = OLD.job_uuid) THEN
        RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$""",
    """
CREATE FUNCTION recto_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('recto', '');
    RETURN NULL;
END $$""",
)
TRIGGERS = (
    ("job_status_transition_no_update", "BEFORE UPDATE", "job_status_transition", "ROW", "recto_refuse"),
    (
        "job_status_transition_no_delete",
        "BEFORE DELETE",
        "job_status_transition",
        "ROW",
        "recto_refuse_while_job_lives",
    ),
    ("audit_event_no_update", "BEFORE UPDATE", "audit_event", "ROW", "recto_refuse"),
    ("change_counter_tell", "AFTER UPDATE", "change_counter", "STATEMENT", "recto_tell"),
    ("user_session_tell", "AFTER DELETE", "user_session", "STATEMENT", "recto_tell"),
    ("api_token_tell", "AFTER DELETE", "api_token", "STATEMENT", "recto_tell"),
)


WORDS = (
    "DROP INDEX page_text_index",
    "DELETE FROM page_text",  # indexed again, by words that do not depend on the server's locale
    "UPDATE job SET text_indexed = FALSE WHERE text_indexed",
    "ALTER TABLE page_text ADD COLUMN words tsvector",
    "CREATE INDEX page_text_index ON page_text USING gin (words)",
)


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    for statement in (*FUNCTIONS, *WORDS):
        op.execute(statement)
    for name, when, table, each, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()")
