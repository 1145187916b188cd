-- +goose Up
-- Lists of what one scan closed and reopened ask for its moves without reading
-- the whole log.
CREATE INDEX event_moved ON event (scan) WHERE kind = 1;

-- +goose Down
SELECT 1;
