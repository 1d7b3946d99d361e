// The tables, as steps that are never changed once released: a database of any age is brought up to date by the steps it lacks.

/** Statements that run in order. The position in the list, counted from 1, is the version they lead to. */
export type Migration = string[]

export const migrations: Migration[] = [
  [
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    // `path` of an owned model is relative to the data folder, so that the folder can be moved.
    `CREATE TABLE models (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      path TEXT NOT NULL UNIQUE,
      architecture TEXT NOT NULL,
      format TEXT NOT NULL,
      parameters REAL NOT NULL,
      disk_bytes REAL NOT NULL,
      context_length INTEGER NOT NULL,
      license TEXT,
      source TEXT NOT NULL,
      note TEXT,
      is_owned INTEGER NOT NULL,
      reason TEXT,
      added_at REAL NOT NULL
    ) STRICT`,
    // `owner` is the process that works on it: its id, and whether it holds the lock of the data folder.
    `CREATE TABLE jobs (
      id TEXT PRIMARY KEY,
      record TEXT NOT NULL,
      state TEXT NOT NULL,
      owner_pid INTEGER NOT NULL,
      is_owner_locked INTEGER NOT NULL,
      started_at REAL NOT NULL
    ) STRICT`,
    `CREATE TABLE chats (
      id TEXT PRIMARY KEY,
      title TEXT NOT NULL,
      system TEXT NOT NULL,
      sampling TEXT NOT NULL,
      overflow TEXT NOT NULL,
      active_leaf_id TEXT,
      created_at REAL NOT NULL,
      updated_at REAL NOT NULL
    ) STRICT`,
    `CREATE TABLE messages (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
      parent_id TEXT REFERENCES messages (id) ON DELETE CASCADE,
      role TEXT NOT NULL,
      text TEXT NOT NULL,
      state TEXT NOT NULL,
      stop_reason TEXT,
      stats TEXT,
      error TEXT,
      model TEXT,
      created_at REAL NOT NULL
    ) STRICT`,
    "CREATE INDEX messages_by_chat ON messages (chat_id, sequence)",
    "CREATE INDEX messages_by_parent ON messages (parent_id)",
    // Trigrams find parts of words, and words of languages that are written without spaces.
    `CREATE VIRTUAL TABLE message_search USING fts5 (
      text, content = 'messages', content_rowid = 'sequence', tokenize = 'trigram remove_diacritics 1'
    )`,
    `CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
      INSERT INTO message_search (rowid, text) VALUES (new.sequence, new.text);
    END`,
    `CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
      INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.sequence, old.text);
    END`,
    `CREATE TRIGGER message_changed AFTER UPDATE OF text ON messages BEGIN
      INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.sequence, old.text);
      INSERT INTO message_search (rowid, text) VALUES (new.sequence, new.text);
    END`,
  ],
  // Models that cannot run were not taken before this; those that can, can be quantized unless they are.
  [
    "ALTER TABLE models ADD COLUMN can_be_quantized INTEGER NOT NULL DEFAULT 0",
    `UPDATE models SET can_be_quantized = 1
      WHERE format NOT IN ('int8', 'nf4', 'nf4-dq', 'fp4', 'fp4-dq', 'mixed') OR (format = 'mixed' AND path LIKE '%.gguf')`,
  ],
  // Models being added: what pages see, what only the work needs, and the error of each tensor.
  [
    `CREATE TABLE additions (
      id TEXT PRIMARY KEY,
      record TEXT NOT NULL,
      details TEXT NOT NULL,
      errors TEXT NOT NULL,
      created_at REAL NOT NULL
    ) STRICT`,
  ],
  // What was measured of formats of a model, under each name that the model has: its id, its path, where it is from.
  [
    `CREATE TABLE quality (
      model TEXT NOT NULL,
      format TEXT NOT NULL,
      text TEXT NOT NULL,
      tokens INTEGER NOT NULL,
      window INTEGER NOT NULL,
      original_perplexity REAL NOT NULL,
      perplexity REAL NOT NULL,
      kl_mean REAL NOT NULL,
      kl_max REAL NOT NULL,
      same_top_token REAL NOT NULL,
      measured_at REAL NOT NULL,
      PRIMARY KEY (model, format, text)
    ) STRICT`,
  ],
  // What the benchmark of this computer measured.
  [
    `CREATE TABLE speeds (
      isa TEXT NOT NULL,
      threads INTEGER NOT NULL,
      engine_version TEXT NOT NULL,
      record TEXT NOT NULL,
      measured_at REAL NOT NULL,
      PRIMARY KEY (isa, threads, engine_version)
    ) STRICT`,
  ],
  // What was predicted of memory, and what came of it.
  ["CREATE TABLE predictions (id TEXT PRIMARY KEY, at REAL NOT NULL, record TEXT NOT NULL) STRICT"],
  // Which process works on an addition; null: none. (As for jobs.)
  ["ALTER TABLE additions ADD COLUMN owner_pid INTEGER", "ALTER TABLE additions ADD COLUMN is_owner_locked INTEGER NOT NULL DEFAULT 0"],
]
