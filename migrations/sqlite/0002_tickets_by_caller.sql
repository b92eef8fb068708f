-- A caller's last tickets, asked for while his call still rings.
CREATE INDEX tickets_by_caller ON tickets (caller, created_at DESC, id DESC) WHERE caller IS NOT NULL;
