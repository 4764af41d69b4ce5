import Failures
import Foundation
import GRDB
import Platform

/// The database's schema and its versions. `PRAGMA user_version` is the number of applied migrations.
enum StoreSchema {
  static let version = 6
  /// `PRAGMA application_id`: "HONE".
  private static let applicationID = 0x484F_4E45

  /// Checks the version and migrates where needed. Costs one pragma where nothing is to be done.
  static func prepare(
    _ pool: DatabasePool, home: String, path: String, readOnly: Bool, version: Int = version,
    migrator: DatabaseMigrator = migrator
  ) throws {
    // Another process may be making the store at this moment: only the version is looked at outside the lock.
    if try pool.unsafeRead({ db in try Int.fetchOne(db, sql: "PRAGMA user_version") }) == version { return }
    if readOnly {
      let found = try pool.read { db in try versionFound(db, home: home, version: version) }
      throw HoneError(
        .storeUnavailable, "The tracking store in \(home) has the older schema \(found); this Hone reads \(version).",
        remedy: "Open it once for writing; that migrates it.")
    }
    try withLock(on: home) {
      let found = try pool.unsafeRead { db in try versionFound(db, home: home, version: version) }
      guard found < version else { return }
      if found > 0 { try backUp(pool, to: "\(path).v\(found).backup") }
      try migrator.migrate(pool)
      // Whole in its own file before anything is kept in it, also where the power fails from here on.
      _ = try pool.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
      synchronizeDirectory(home)
    }
  }

  /// Refuses a newer store by the header of its file, so that not a byte of it changes: merely opening it for writing
  /// makes a log beside it.
  static func refuseNewer(_ path: String, home: String) throws(HoneError) {
    let descriptor = System.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { System.close(descriptor) }
    var header = [UInt8](repeating: 0, count: 100)
    guard System.read(descriptor, &header, header.count) == 100 else { return }
    // See "The Database Header" in SQLite's description of its file format.
    func number(at place: Int) -> Int { header[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard number(at: 68) == applicationID, number(at: 60) > version else { return }
    throw newer(number(at: 60), home: home, version: version)
  }

  private static func newer(_ found: Int, home: String, version: Int) -> HoneError {
    HoneError(
      .storeUnavailable,
      "The tracking store in \(home) was written by a newer Hone (schema \(found); this one knows up to \(version)).",
      remedy: "Update Hone, or choose another home directory.")
  }

  static func versionFound(_ db: Database, home: String, version: Int) throws -> Int {
    let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    if found > version { throw newer(found, home: home, version: version) }
    let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    // A store whose making was broken off has nothing but the migrator's own table.
    let isEmpty =
      try found == 0
      && !Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE tbl_name <> 'grdb_migrations')"
      ).isTrue
    if application != applicationID && !isEmpty {
      throw HoneError(
        .storeUnavailable, "The database in \(home) is not a tracking store.", remedy: "Choose another home directory.")
    }
    return found
  }

  /// Copies the database as it stands, for the owner alone.
  private static func backUp(_ pool: DatabasePool, to path: String) throws {
    unlink(path)
    let descriptor = System.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600)
    guard descriptor >= 0 else { throw systemFailure("write the backup \(path)") }
    System.close(descriptor)
    do {
      let copy = try DatabaseQueue(path: path)
      try pool.backup(to: copy)
      try copy.close()
    } catch {
      // Half a copy is worse than none: it looks like one.
      unlink(path)
      throw error
    }
  }

  /// Holds a lock on the home directory, so that of several processes one migrates.
  private static func withLock(on home: String, _ body: () throws -> Void) throws {
    let descriptor = System.open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("open the directory \(home)") }
    defer { System.close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw systemFailure("lock the directory \(home)") }
    }
    try body()
  }

  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1") { db in
      try db.execute(sql: version1)
      try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = 1")
    }
    migrator.registerMigration("v2") { db in
      try db.execute(sql: version2)
      try db.execute(sql: "PRAGMA user_version = 2")
    }
    migrator.registerMigration("v3") { db in
      try db.execute(sql: version3)
      try db.execute(sql: "PRAGMA user_version = 3")
    }
    migrator.registerMigration("v4") { db in
      try db.execute(sql: version4)
      try db.execute(sql: "PRAGMA user_version = 4")
    }
    migrator.registerMigration("v5") { db in
      try db.execute(sql: version5)
      try db.execute(sql: "PRAGMA user_version = 5")
    }
    migrator.registerMigration("v6") { db in
      try db.execute(sql: version6)
      try db.execute(sql: "PRAGMA user_version = 6")
    }
    return migrator
  }()

  /// `runs.seq` and `traces.seq` stand for the long ids wherever a row belongs to a run or trace that is
  /// sure to exist; assessments, answers and the runs of traces go by the id itself, because they may
  /// come first. A metric's NaN is stored as NULL.
  private static let version1 = """
    CREATE TABLE experiments (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      created_ms INTEGER NOT NULL,
      updated_ms INTEGER NOT NULL,
      deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE experiment_tags (
      experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (experiment, key)
    ) WITHOUT ROWID;
    INSERT INTO experiments (id, name, created_ms, updated_ms)
      VALUES (0, 'Default', unixepoch() * 1000, unixepoch() * 1000);

    CREATE TABLE runs (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      experiment INTEGER NOT NULL REFERENCES experiments (id),
      parent TEXT,
      name TEXT NOT NULL,
      status TEXT NOT NULL,
      start_ms INTEGER NOT NULL,
      end_ms INTEGER,
      user TEXT NOT NULL,
      deleted_ms INTEGER
    );
    CREATE INDEX runs_by_experiment ON runs (experiment, start_ms DESC, id);
    CREATE INDEX runs_by_parent ON runs (parent, start_ms DESC, id) WHERE parent IS NOT NULL;
    CREATE TABLE params (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (run, key)
    ) WITHOUT ROWID;
    CREATE TABLE run_tags (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (run, key)
    ) WITHOUT ROWID;
    CREATE TABLE metrics (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, step INTEGER NOT NULL, timestamp INTEGER NOT NULL, value REAL
    );
    CREATE UNIQUE INDEX metrics_by_step ON metrics (run, key, step, timestamp, ifnull(value, 'NaN'));
    CREATE TABLE latest_metrics (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, step INTEGER NOT NULL, timestamp INTEGER NOT NULL, value REAL,
      PRIMARY KEY (run, key)
    ) WITHOUT ROWID;
    CREATE TABLE datasets (
      id INTEGER PRIMARY KEY,
      experiment INTEGER NOT NULL REFERENCES experiments (id),
      name TEXT NOT NULL, digest TEXT NOT NULL,
      source_type TEXT NOT NULL, source TEXT NOT NULL, schema TEXT, profile TEXT,
      UNIQUE (experiment, name, digest)
    );
    CREATE TABLE inputs (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      dataset INTEGER NOT NULL REFERENCES datasets (id),
      context TEXT NOT NULL,
      PRIMARY KEY (run, dataset, context)
    ) WITHOUT ROWID;
    CREATE TABLE results (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      row INTEGER NOT NULL,
      score REAL, failed INTEGER NOT NULL,
      error_kind TEXT, error_message TEXT, trace BLOB, example BLOB,
      PRIMARY KEY (run, row)
    ) WITHOUT ROWID;
    CREATE TABLE leases (
      run INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
      host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT NOT NULL, expires_ms INTEGER NOT NULL
    );

    CREATE TABLE traces (
      seq INTEGER PRIMARY KEY,
      id BLOB NOT NULL UNIQUE,
      experiment INTEGER, run_id TEXT,
      name TEXT NOT NULL, status INTEGER NOT NULL, error TEXT,
      start_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL, span_count INTEGER NOT NULL,
      input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost REAL,
      request TEXT, response TEXT, metadata TEXT
    );
    CREATE INDEX traces_by_run ON traces (run_id, start_ns DESC) WHERE run_id IS NOT NULL;
    CREATE INDEX traces_by_experiment ON traces (experiment, start_ns DESC);
    CREATE INDEX traces_by_start ON traces (start_ns DESC);
    CREATE TABLE trace_tags (
      trace INTEGER NOT NULL REFERENCES traces (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (trace, key)
    ) WITHOUT ROWID;
    -- The spans of a trace, up to 512 a row; id = the trace's seq * 2^20 + the row's number.
    CREATE TABLE span_chunks (
      id INTEGER PRIMARY KEY,
      payload BLOB NOT NULL
    );
    -- The shared beginnings of prompts, by their digest.
    CREATE TABLE texts (
      id INTEGER PRIMARY KEY,
      digest BLOB NOT NULL UNIQUE,
      content BLOB NOT NULL
    );
    CREATE TABLE assessments (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      trace BLOB NOT NULL,
      span INTEGER, kind INTEGER NOT NULL, name TEXT NOT NULL,
      value TEXT, number REAL, error TEXT, rationale TEXT, metadata TEXT,
      source INTEGER NOT NULL, source_id TEXT,
      created_ms INTEGER NOT NULL, overrides INTEGER, valid INTEGER NOT NULL DEFAULT 1
    );
    CREATE INDEX assessments_by_trace ON assessments (trace);

    CREATE TABLE answers (
      id INTEGER PRIMARY KEY,
      key BLOB NOT NULL UNIQUE,
      texts TEXT NOT NULL, finish_reasons TEXT,
      input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, reply_model TEXT,
      model TEXT NOT NULL, role TEXT NOT NULL, run_id TEXT, cost REAL, seconds REAL NOT NULL,
      created_ms INTEGER NOT NULL
    );
    CREATE INDEX answers_by_run ON answers (run_id) WHERE run_id IS NOT NULL;
    """

  /// What it takes to do a run again, to watch it and to stop it from another process.
  private static let version2 = """
    -- What a run was asked to do, how long it was worked on, and what came of it.
    CREATE TABLE requests (
      run INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
      method TEXT NOT NULL, params TEXT NOT NULL,
      -- When the session under way began; NULL between sessions, whose seconds are added up.
      session_ms INTEGER, seconds REAL NOT NULL DEFAULT 0,
      result TEXT
    );
    CREATE TABLE trials (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      number INTEGER NOT NULL, trial TEXT NOT NULL,
      PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    CREATE TABLE stop_requests (
      run INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL
    );
    -- Requests to models that brought no answer, and those that a bounded run has under way.
    CREATE TABLE attempts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      run_id TEXT NOT NULL, role TEXT NOT NULL, requests INTEGER NOT NULL,
      input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost REAL
    );
    CREATE INDEX attempts_by_run ON attempts (run_id);
    """

  /// What MLflow's clients log beyond that. A trace of theirs comes in pieces, in any order: its spans' times count
  /// from `origin_ns`, and `reported` says whether the client's own account of the whole has come.
  private static let version3 = """
    ALTER TABLE traces ADD COLUMN origin_ns INTEGER;
    ALTER TABLE traces ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE assessments ADD COLUMN updated_ms INTEGER;
    ALTER TABLE assessments ADD COLUMN details TEXT;
    ALTER TABLE inputs ADD COLUMN tags TEXT;

    CREATE TABLE models (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      experiment INTEGER NOT NULL REFERENCES experiments (id),
      name TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
      run_id TEXT,
      created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
      deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX models_by_experiment ON models (experiment, created_ms DESC);
    CREATE TABLE model_params (
      model INTEGER NOT NULL REFERENCES models (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (model, key)
    ) WITHOUT ROWID;
    CREATE TABLE model_tags (
      model INTEGER NOT NULL REFERENCES models (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (model, key)
    ) WITHOUT ROWID;
    CREATE TABLE model_metrics (
      model INTEGER NOT NULL REFERENCES models (seq) ON DELETE CASCADE,
      key TEXT NOT NULL, run_id TEXT NOT NULL, step INTEGER NOT NULL, timestamp INTEGER NOT NULL, value REAL,
      PRIMARY KEY (model, key, run_id)
    ) WITHOUT ROWID;
    CREATE TABLE outputs (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      model TEXT NOT NULL, step INTEGER NOT NULL,
      PRIMARY KEY (run, model)
    ) WITHOUT ROWID;
    """

  /// What models think before they answer, and what was learned of their endpoints.
  private static let version4 = """
    ALTER TABLE answers ADD COLUMN reasoning TEXT;

    CREATE TABLE capabilities (
      -- URL and name of the model, as in the keys of its answers.
      model TEXT NOT NULL,
      name TEXT NOT NULL, value TEXT NOT NULL, learned_ms INTEGER NOT NULL,
      PRIMARY KEY (model, name)
    ) WITHOUT ROWID;
    """

  /// Whether nobody counted the tokens, so that they are the most that a request can have used.
  private static let version5 = """
    ALTER TABLE answers ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempts ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
    """

  /// What a search for text needs to pass spans over; what a collection of garbage notes of its work; what examples were
  /// answered with; and large data sets, once for all requests that were made with them.
  private static let version6 = """
    -- What each row of span_chunks may hold (see SpanFilter); a trace without one is read by searches.
    CREATE TABLE span_filters (id INTEGER PRIMARY KEY, filter BLOB NOT NULL);
    CREATE TRIGGER span_filters_go AFTER DELETE ON span_chunks
      BEGIN DELETE FROM span_filters WHERE id = old.id; END;
    -- lastTrace: the highest number of a trace that was removed; unfiltered: that of the traces still without filters.
    CREATE TABLE progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO progress SELECT 'unfiltered', max(seq) FROM traces HAVING max(seq) IS NOT NULL;

    -- Texts that nothing may refer to any more; whoever writes a reference takes it out.
    CREATE TABLE doubtful_texts (text INTEGER PRIMARY KEY);
    -- What is gone from the tables and still has traces or files: runs by their id, owners of artifacts by their path.
    CREATE TABLE removals (
      kind TEXT NOT NULL, id TEXT NOT NULL,
      PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    -- What runs paid for answers that are gone.
    CREATE TABLE settled (
      run_id TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
      calls INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
      cost REAL NOT NULL, unpriced INTEGER NOT NULL, seconds REAL NOT NULL,
      -- 1 for calls whose tokens nobody counted.
      estimated INTEGER NOT NULL,
      PRIMARY KEY (run_id, role, model, estimated)
    ) WITHOUT ROWID;

    -- The score as the metric gave it, where it is no number; what the program answered, and what the metric said of it.
    ALTER TABLE results ADD COLUMN raw TEXT;
    ALTER TABLE results ADD COLUMN outputs TEXT;
    ALTER TABLE results ADD COLUMN feedback TEXT;

    -- The rows of a data set, by their digest; NULL rows: not whole yet. used_ms: when a request was last to be kept with it.
    CREATE TABLE row_sets (
      id INTEGER PRIMARY KEY,
      digest BLOB NOT NULL, rows INTEGER, used_ms INTEGER NOT NULL
    );
    CREATE INDEX row_sets_by_digest ON row_sets (digest);
    -- Packed lines of JSON; id = the set's * 2^20 + the chunk's number.
    CREATE TABLE row_chunks (id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
    -- The sets that a run's request refers to.
    CREATE TABLE request_rows (
      run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
      row_set INTEGER NOT NULL REFERENCES row_sets (id),
      PRIMARY KEY (run, row_set)
    ) WITHOUT ROWID;
    CREATE INDEX request_rows_by_set ON request_rows (row_set);
    """
}

extension Bool? {
  fileprivate var isTrue: Bool { self == true }
}
