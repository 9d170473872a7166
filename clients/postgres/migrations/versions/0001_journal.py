"""The journal and everything beside it.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # Meeting ids are ordered by code point, as Python orders the positions of the feed.
    # One row carries ownership, sequence and state, so that a claim locks and reads one thing (recipe 3.2).
    """
    CREATE TABLE meetings (
        meeting_id  text COLLATE "C" PRIMARY KEY,
        node        text,
        incarnation text,
        epoch       bigint NOT NULL DEFAULT 0,
        seq         bigint NOT NULL DEFAULT 0,
        sequence    bigint NOT NULL DEFAULT 0,
        state       jsonb,
        wake_at     timestamptz
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX meetings_due ON meetings (wake_at) WHERE wake_at IS NOT NULL",
    # Gapless per meeting by the fence; `sequence` is the public number, null for internal events.
    """
    CREATE TABLE events (
        meeting_id   text COLLATE "C" NOT NULL,
        seq          bigint NOT NULL,
        epoch        bigint NOT NULL,
        tx           xid8 NOT NULL DEFAULT pg_current_xact_id(),
        sequence     bigint,
        at           timestamptz NOT NULL,
        recording_id text NOT NULL,
        kind         text NOT NULL,
        version      integer NOT NULL,
        actor        jsonb NOT NULL,
        data         jsonb NOT NULL,
        recording    jsonb,
        live         jsonb,
        PRIMARY KEY (meeting_id, seq)
    )
    """,
    "CREATE UNIQUE INDEX events_public ON events (meeting_id, sequence) WHERE sequence IS NOT NULL",
    "CREATE INDEX events_feed ON events (tx, meeting_id, sequence) WHERE sequence IS NOT NULL",
    "CREATE INDEX events_history ON events (recording_id, seq)",
    # The query side. `data` is the whole recording; the columns beside it are what lists are filtered and sorted by.
    """
    CREATE TABLE recordings (
        meeting_id   text COLLATE "C" NOT NULL,
        recording_id text NOT NULL UNIQUE,
        live         boolean NOT NULL,
        state        text NOT NULL,
        status       text NOT NULL,
        created_at   timestamptz NOT NULL,
        data         jsonb NOT NULL,
        PRIMARY KEY (meeting_id, recording_id)
    )
    """,
    "CREATE UNIQUE INDEX one_live ON recordings (meeting_id) WHERE live",
    "CREATE INDEX recordings_of_meeting ON recordings (meeting_id, created_at DESC, recording_id DESC)",
    "CREATE INDEX recordings_newest ON recordings (created_at DESC, recording_id DESC)",
    # Who is ours: written when an attempt opens, read by webhooks.
    """
    CREATE TABLE recorders (
        cname        text NOT NULL,
        uid          text NOT NULL,
        sid          text,
        meeting_id   text COLLATE "C" NOT NULL,
        recording_id text NOT NULL,
        attempt      integer NOT NULL,
        PRIMARY KEY (cname, uid)
    )
    """,
    "CREATE INDEX recorders_sid ON recorders (sid) WHERE sid IS NOT NULL",
    """
    CREATE TABLE commands (
        meeting_id   text COLLATE "C" NOT NULL,
        command_id   text NOT NULL,
        body_hash    text NOT NULL,
        recording_id text NOT NULL,
        at           timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (meeting_id, command_id)
    )
    """,
    # Stored before they are answered. The second key is the meaning: redundant notifications repeat it (reference 7.5).
    """
    CREATE TABLE inbox (
        notice_id    text PRIMARY KEY,
        cname        text NOT NULL,
        uid          text NOT NULL,
        sid          text NOT NULL,
        event_type   bigint NOT NULL,
        sequence     bigint NOT NULL,
        sent_ms      bigint NOT NULL,
        details      jsonb NOT NULL,
        body         bytea NOT NULL,
        received_at  timestamptz NOT NULL,
        processed_at timestamptz,
        UNIQUE (sid, uid, event_type, sequence)
    )
    """,
    "CREATE INDEX inbox_waiting ON inbox (received_at) WHERE processed_at IS NULL",
    # Names this history: cursors carry it, so that one of another database is never taken for its own.
    "CREATE TABLE identity (id uuid NOT NULL DEFAULT gen_random_uuid())",
    "INSERT INTO identity DEFAULT VALUES",
    # The provider's 10 requests a second are one budget for all nodes of an App ID (recipe 3.2).
    """
    CREATE TABLE provider_budget (
        app_id  text NOT NULL,
        lane    text NOT NULL,
        next_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (app_id, lane)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
