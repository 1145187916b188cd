-- +goose Up
ALTER TABLE account ADD COLUMN seen INTEGER NOT NULL DEFAULT 0; -- last sign-in, unix milliseconds
ALTER TABLE account ADD COLUMN reset TEXT NOT NULL DEFAULT ''; -- digest of the link that sets a new password
ALTER TABLE account ADD COLUMN reset_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0; -- sessions opened before are worth nothing

-- +goose Down
SELECT 1;
