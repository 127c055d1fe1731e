package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
)

// maxImport is how many keys one request may bring.
const maxImport = 5000

func (s *Server) importKeys(ctx context.Context, in adminapi.KeyImport) (adminapi.ImportResult, error) {
	var none adminapi.ImportResult
	if len(in.Keys) == 0 || len(in.Keys) > maxImport {
		return none, badRequest("keys must be a list of 1 to %d keys, got %d", maxImport, len(in.Keys))
	}
	list, problems := checkImport(in.Keys, s.modelIDs())
	if len(problems) > 0 {
		p := badRequest("the keys have %d problems; no key was imported", len(problems))
		p.metadata = map[string]any{"problems": problems}
		return none, p
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return none, err
	}
	added, err := db.ImportKeys(lasting(ctx), list, keyEntry(in.KeyChange, "keys.import", fmt.Sprint(len(list))))
	if err != nil {
		return none, err
	}
	return adminapi.ImportResult{Imported: added, Known: len(list) - added, Nodes: s.keyRollout(ctx, db, in.KeyChange)}, nil
}

// checkImport returns the keys as they are stored, or what is wrong with them.
func checkImport(in []adminapi.ImportedKey, models []string) (list []controlstate.Key, problems []string) {
	now := time.Now()
	for i, k := range in {
		spec := keys.Imported{
			Spec: keys.Spec{Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Expires: k.Expires}, Hash: k.Hash, Prefix: k.Prefix,
		}
		checked, err := spec.Check(now, models)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				problems = append(problems, fmt.Sprintf("keys[%d].%s", i, strings.TrimSuffix(line, "\n")))
			}
			continue
		}
		list = append(list, controlstate.Key{
			ID: keys.NewID(), Hash: k.Hash, Prefix: k.Prefix, Name: checked.Name, User: checked.User, Role: checked.Role, Models: checked.Models,
			Created: now.UTC().Truncate(time.Second), Expires: checked.Expires,
		})
	}
	return list, problems
}
