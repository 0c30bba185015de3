"""The tables of the access store, in numbered steps. A step that was ever released is never changed."""

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE principals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        roles TEXT NOT NULL,
        display TEXT NOT NULL,
        unit TEXT UNIQUE,
        disabled_at REAL,
        made_at REAL NOT NULL
    );
    CREATE TABLE passwords (
        principal INTEGER PRIMARY KEY REFERENCES principals(id),
        kept TEXT NOT NULL,
        set_at REAL NOT NULL
    );
    CREATE TABLE code_generators (
        principal INTEGER PRIMARY KEY REFERENCES principals(id),
        sealed BLOB NOT NULL,
        counter INTEGER NOT NULL
    );
    CREATE TABLE recovery_codes (
        hash BLOB PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals(id)
    );
    CREATE TABLE security_keys (
        id BLOB PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals(id),
        public_key BLOB NOT NULL,
        count INTEGER NOT NULL,
        label TEXT NOT NULL,
        made_at REAL NOT NULL
    );
    CREATE TABLE answered (
        hash BLOB PRIMARY KEY,
        expires REAL NOT NULL
    );
    CREATE TABLE sessions (
        hash BLOB PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals(id),
        method TEXT NOT NULL,
        second_factor INTEGER NOT NULL,
        made_at REAL NOT NULL,
        touched REAL NOT NULL,
        expires REAL NOT NULL
    );
    CREATE TABLE devices (
        hash BLOB PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals(id),
        used REAL NOT NULL
    );
    CREATE TABLE tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL UNIQUE,
        principal INTEGER NOT NULL REFERENCES principals(id),
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        made_at REAL NOT NULL,
        expires REAL NOT NULL,
        used REAL,
        revoked_at REAL
    );
    CREATE TABLE links (
        hash BLOB PRIMARY KEY,
        purpose TEXT NOT NULL,
        principal INTEGER REFERENCES principals(id),
        expires REAL NOT NULL
    );
    CREATE TABLE certificates (
        fingerprint BLOB PRIMARY KEY,
        serial TEXT NOT NULL,
        subject TEXT NOT NULL,
        purpose TEXT NOT NULL,
        principal INTEGER REFERENCES principals(id),
        not_before REAL NOT NULL,
        not_after REAL NOT NULL,
        revoked_at REAL,
        reason TEXT
    );
    CREATE TABLE tallies (
        bucket TEXT PRIMARY KEY,
        failures INTEGER NOT NULL,
        last REAL NOT NULL
    );
    CREATE TABLE history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        actor TEXT NOT NULL,
        what TEXT NOT NULL,
        about TEXT NOT NULL,
        words TEXT NOT NULL
    );
    CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE reads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        actor TEXT NOT NULL,
        way TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL NOT NULL,
        reads INTEGER NOT NULL,
        mark BLOB NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX reads_of ON reads (actor, way, ended);
    """,
)
