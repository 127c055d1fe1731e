package natssetup

import (
	"fmt"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/hybridinference/gateway/shared/bus"
)

// accountsFile tells servers whom to trust.
const accountsFile = "accounts.conf"

// accounts makes the operator, the gateway's account and the system's, and
// credentials in the first for each role and node.
func (s *setup) accounts() error {
	operator, err := s.key("operator", nkeys.CreateOperator)
	if err != nil {
		return err
	}
	account, err := s.key("account", nkeys.CreateAccount)
	if err != nil {
		return err
	}
	system, err := s.key("system", nkeys.CreateAccount)
	if err != nil {
		return err
	}
	if err := s.trust(operator, account, system); err != nil {
		return fmt.Errorf("%s: %w", accountsFile, err)
	}
	users := []struct{ file, role, name string }{{bus.RoleControlPlane, bus.RoleControlPlane, ""}, {bus.RoleCollector, bus.RoleCollector, ""}}
	if s.o.Shared {
		users = append(users, struct{ file, role, name string }{bus.RoleDataPlane, bus.RoleDataPlane, "*"})
	}
	for _, node := range s.o.Nodes {
		users = append(users, struct{ file, role, name string }{node, bus.RoleDataPlane, node})
	}
	for _, u := range users {
		if err := s.user(account, u.file, Permissions(u.role, u.name)); err != nil {
			return err
		}
	}
	return s.user(system, "system", jwt.Permissions{})
}

// key returns a key pair, made once and kept.
func (s *setup) key(name string, create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, error) {
	file := "keys/" + name + ".nk"
	seed, err := s.kept(file)
	if err != nil {
		return nil, err
	}
	if seed != nil {
		pair, err := nkeys.FromSeed(seed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path(file), err)
		}
		return pair, nil
	}
	pair, err := create()
	if err != nil {
		return nil, err
	}
	if seed, err = pair.Seed(); err != nil {
		return nil, err
	}
	return pair, s.write(file, seed, secretMode)
}

// trust writes what every server includes.
func (s *setup) trust(operator, account, system nkeys.KeyPair) error {
	if text, err := s.kept(accountsFile); err != nil || text != nil {
		return err
	}
	operatorID, err := operator.PublicKey()
	if err != nil {
		return err
	}
	systemID, systemJWT, err := accountJWT("system", system, operator, false)
	if err != nil {
		return err
	}
	accountID, gatewayJWT, err := accountJWT("gateway", account, operator, true)
	if err != nil {
		return err
	}
	claims := jwt.NewOperatorClaims(operatorID)
	claims.Name, claims.SystemAccount = "gateway", systemID
	operatorJWT, err := claims.Encode(operator)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# Trusted operator and accounts; written by gatewayctl nats setup.\noperator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n  %s: %s\n  %s: %s\n}\n",
		operatorJWT, systemID, accountID, gatewayJWT, systemID, systemJWT)
	return s.write(accountsFile, []byte(text), publicMode)
}

func accountJWT(name string, account, operator nkeys.KeyPair, stores bool) (id, encoded string, err error) {
	if id, err = account.PublicKey(); err != nil {
		return "", "", err
	}
	claims := jwt.NewAccountClaims(id)
	claims.Name = name
	if stores {
		claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	}
	encoded, err = claims.Encode(operator)
	return id, encoded, err
}

// user writes credentials, once.
func (s *setup) user(account nkeys.KeyPair, name string, may jwt.Permissions) error {
	file := name + ".creds"
	if text, err := s.kept(file); err != nil || text != nil {
		return err
	}
	pair, err := nkeys.CreateUser()
	if err != nil {
		return err
	}
	id, err := pair.PublicKey()
	if err != nil {
		return err
	}
	seed, err := pair.Seed()
	if err != nil {
		return err
	}
	claims := jwt.NewUserClaims(id)
	claims.Name, claims.Permissions = name, may
	encoded, err := claims.Encode(account)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	creds, err := jwt.FormatUserConfig(encoded, seed)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return s.write(file, creds, secretMode)
}
