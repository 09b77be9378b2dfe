-- Money in nano-USD, times in milliseconds since 1970. posted + leased + pending + lost <= limit, overruns apart.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE budget (
  id {serial}, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL, set_ms BIGINT NOT NULL, dropped_ms BIGINT
);

CREATE TABLE feature (name TEXT PRIMARY KEY, body TEXT NOT NULL);

-- one account of a budget in one window (bucket: the window's first millisecond)
-- rolling budgets have a slot for each part of the window, and their leases on bucket -1
CREATE TABLE slot (
  id {serial}, budget BIGINT NOT NULL, account TEXT NOT NULL, bucket BIGINT NOT NULL,
  posted BIGINT NOT NULL DEFAULT 0, overrun BIGINT NOT NULL DEFAULT 0, leased BIGINT NOT NULL DEFAULT 0,
  pending BIGINT NOT NULL DEFAULT 0, lost BIGINT NOT NULL DEFAULT 0, tight INTEGER NOT NULL DEFAULT 0,
  UNIQUE (budget, account, bucket)
);

-- what a process may hand out without asking again
CREATE TABLE lease (
  owner TEXT NOT NULL, slot BIGINT NOT NULL, amount BIGINT NOT NULL, tight INTEGER NOT NULL DEFAULT 0,
  expires_ms BIGINT NOT NULL, PRIMARY KEY (owner, slot)
);
CREATE INDEX lease_slot ON lease (slot);

-- a lease whose owner was not heard of again: counted as spent until the owner returns or a person settles it
CREATE TABLE lost (owner TEXT NOT NULL, slot BIGINT NOT NULL, amount BIGINT NOT NULL, at_ms BIGINT NOT NULL,
  PRIMARY KEY (owner, slot));

-- durable holds: jobs that outlive their process
CREATE TABLE hold (
  id {blob} PRIMARY KEY, name TEXT NOT NULL, at_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL, state INTEGER NOT NULL DEFAULT 0,
  amount BIGINT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX hold_open ON hold (state, expires_ms);

CREATE TABLE who (
  id {serial}, digest {blob} NOT NULL UNIQUE, feature TEXT NOT NULL, "user" TEXT NOT NULL, session TEXT NOT NULL,
  tenant TEXT NOT NULL, user_class TEXT NOT NULL, tags TEXT NOT NULL
);

CREATE TABLE what (
  id {serial}, digest {blob} NOT NULL UNIQUE, model TEXT NOT NULL, provider TEXT NOT NULL, plan TEXT NOT NULL,
  stage TEXT NOT NULL, mode TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL, kind TEXT NOT NULL,
  outcome TEXT NOT NULL
);

CREATE TABLE event (
  seq {serial}, id {blob} NOT NULL, at_ms BIGINT NOT NULL, who BIGINT NOT NULL, what BIGINT NOT NULL,
  cost BIGINT NOT NULL, avoided BIGINT NOT NULL, latency_ms BIGINT NOT NULL,
  calls BIGINT NOT NULL, frames BIGINT NOT NULL, images BIGINT NOT NULL, tokens_text BIGINT NOT NULL,
  tokens_image BIGINT NOT NULL, tokens_video BIGINT NOT NULL, tokens_audio BIGINT NOT NULL, tokens_cached BIGINT NOT NULL,
  tokens_cache_write BIGINT NOT NULL, tokens_output BIGINT NOT NULL, video_ms BIGINT NOT NULL, audio_ms BIGINT NOT NULL,
  output_ms BIGINT NOT NULL, gpu_ms BIGINT NOT NULL, bytes BIGINT NOT NULL
);
CREATE UNIQUE INDEX event_id ON event (id);

-- sums of events up to the number in meta.rolled: grain 1 minute, 2 hour, 3 day (UTC); what is newer is added when asked
CREATE TABLE roll (
  grain INTEGER NOT NULL, dim INTEGER NOT NULL, feature TEXT NOT NULL, label TEXT NOT NULL, at_ms BIGINT NOT NULL,
  events BIGINT NOT NULL, cost BIGINT NOT NULL, avoided BIGINT NOT NULL, calls BIGINT NOT NULL, frames BIGINT NOT NULL,
  video_ms BIGINT NOT NULL, latency_ms BIGINT NOT NULL, outcomes BIGINT NOT NULL,
  PRIMARY KEY (grain, dim, at_ms, feature, label)
) {real_table};

CREATE TABLE notice (
  id {serial}, at_ms BIGINT NOT NULL, kind TEXT NOT NULL, budget TEXT NOT NULL, account TEXT NOT NULL,
  bucket BIGINT NOT NULL, level INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (kind, budget, account, bucket, level)
);
