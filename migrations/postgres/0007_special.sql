-- Special callers: what kind (codes as call.mark's), how he may be told (any, text_only, no_message) and when he may be called.
ALTER TABLE tickets ADD COLUMN special TEXT;
ALTER TABLE tickets ADD COLUMN notify TEXT;
ALTER TABLE tickets ADD COLUMN safe_time TEXT;
