-- Tickets of the same matter in the same street: looked for while somebody writes the next one.
CREATE INDEX tickets_by_place ON tickets (street, category, created_at DESC) WHERE street IS NOT NULL;
