package database

import "context"

// Pragma sets what the connection that writes is allowed to do.
func (s *SQLite) Pragma(ctx context.Context, text string) error {
	_, err := s.writer.ExecContext(ctx, "PRAGMA "+text)
	return err
}
