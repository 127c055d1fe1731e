package controlstate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// HolderGateway holds the limits of everything that nodes serve.
const HolderGateway = "gateway"

// HolderUser returns the holder of a user's limits.
func HolderUser(user string) string { return userPrefix + user }

const userPrefix = "user:"

// LimitsOf returns the limits of the gateway or of a user. Those of keys and
// teams are the Key's and the Team's.
func (s *State) LimitsOf(ctx context.Context, holder string) (list []wire.Limit, err error) {
	err = s.read(ctx, database.SQL("SELECT limits FROM control_limits WHERE holder = $1", holder), func(r database.Row) error {
		var text string
		if err := r.Scan(&text); err != nil {
			return err
		}
		list, err = readLimits(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("limits of %s: %w", holder, err)
	}
	return list, nil
}

// SetLimits replaces the limits of the gateway or of a user and records the
// audit entry. It gives ErrChanged when they are not was any more.
func (s *State) SetLimits(ctx context.Context, holder string, was, limits []wire.Limit, audit Entry) error {
	const held = "EXISTS (SELECT 1 FROM control_limits WHERE holder = "
	before, err := writeLimits(was)
	if err != nil {
		return err
	}
	after, err := writeLimits(limits)
	if err != nil {
		return err
	}
	if err := audit.check(); err != nil {
		return err
	}
	if err := checkText("holder", holder); err != nil {
		return err
	}
	changed, err := s.write(ctx, []database.Statement{
		database.SQL("INSERT INTO control_limits (holder, limits) VALUES ($1, '[]') ON CONFLICT (holder) DO NOTHING", holder),
		audit.insertIf("WHERE "+held+"$7 AND limits = $8)", holder, before),
		database.SQL(bumpKeys+" AND "+held+"$1 AND limits = $2)", holder, before),
		database.SQL("UPDATE control_limits SET limits = $3 WHERE holder = $1 AND limits = $2", holder, before, after),
	})
	if err == nil && changed[3] == 0 {
		err = ErrChanged
	}
	if err != nil {
		return fmt.Errorf("limits of %s: %w", holder, err)
	}
	return nil
}

// writeLimits checks limits and returns them as columns hold them: always the
// same text for the same limits.
func writeLimits(list []wire.Limit) (string, error) {
	if err := wire.CheckLimits(list); err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	text, err := json.Marshal(append([]wire.Limit{}, list...))
	if err != nil {
		return "", fmt.Errorf("limits: %w", err)
	}
	return string(text), nil
}

func readLimits(text string) (list []wire.Limit, err error) {
	if text == "[]" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("limits: %w", err)
	}
	return list, nil
}

func writeList(list []string) (string, error) {
	text, err := json.Marshal(append([]string{}, list...))
	if err != nil {
		return "", fmt.Errorf("list: %w", err)
	}
	return string(text), nil
}
