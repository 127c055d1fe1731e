package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/disk"
	"github.com/hybridinference/gateway/shared/wire"
)

// problems lists what is wrong, the most serious first.
func (s *Server) problems(found stores) []adminapi.Problem {
	var list []adminapi.Problem
	add := func(code, format string, args ...any) {
		list = append(list, adminapi.Problem{Code: code, Message: fmt.Sprintf(format, args...)})
	}
	current := s.o.Publisher.Current()
	storing, signing := s.o.Publisher.Troubles()
	switch {
	case !s.o.Conn.IsConnected():
		add(adminapi.ProblemNATS, "NATS is %s: changes do not reach the nodes, which keep serving their current release", s.natsStatus())
	case storing != "":
		add(adminapi.ProblemNATSStore, "NATS does not store releases, and changes do not reach the nodes: %s", storing)
	}
	if signing != "" {
		add(adminapi.ProblemSigning, "%s", signing)
	}
	if found.database != nil {
		add(adminapi.ProblemDatabase, "changes are not possible: %s", found.database)
	}
	if current == nil {
		add(adminapi.ProblemNoRelease, "no release yet: the nodes serve no models")
	}
	if found.logStore != nil {
		add(adminapi.ProblemLogStore, "the request log is unavailable: %s", found.logStore)
	}
	if s.o.Dir != "" {
		if text := disk.Low(s.o.Dir); text != "" {
			add(adminapi.ProblemDisk, "%s", text)
		}
	}
	if s.o.Usage != nil && s.o.Conn.IsConnected() {
		list = append(list, s.o.Usage()...)
	}
	list = append(list, notesOfNodes(s.o.Nodes.List())...)
	if current != nil {
		for _, text := range unservedModels(&current.Snapshot, s.o.Nodes.List()) {
			add(adminapi.ProblemMissingSecret, "%s", text)
		}
	}
	return list
}

// notesOfNodes are what live nodes say of themselves.
func notesOfNodes(list []nodes.Node) (problems []adminapi.Problem) {
	for i := range list {
		if list[i].State != nodes.Live {
			continue
		}
		for _, text := range list[i].Notes {
			problems = append(problems, adminapi.Problem{Code: adminapi.ProblemNode, Message: "node " + list[i].Node + ": " + text})
		}
	}
	return problems
}

// unservedModels names the models for all of whose endpoints in service no live
// node has the secret.
func unservedModels(s *wire.Snapshot, list []nodes.Node) (texts []string) {
	live, missing, variables := 0, map[string]int{}, map[string]string{}
	for i := range list {
		if list[i].State != nodes.Live {
			continue
		}
		live++
		for _, m := range list[i].Missing {
			missing[m.Endpoint]++
			variables[m.Endpoint] = m.Variable
		}
	}
	if live == 0 {
		return nil
	}
	for i := range s.Models {
		m := &s.Models[i]
		var unset []string
		served := true
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			if e.Weight == 0 || e.Disabled() {
				continue
			}
			if served = missing[e.ID] < live; served {
				break
			}
			if !slices.Contains(unset, variables[e.ID]) {
				unset = append(unset, variables[e.ID])
			}
		}
		if !served {
			texts = append(texts, fmt.Sprintf("model %s cannot be served: %s is set on no node", m.ID, strings.Join(unset, " or ")))
		}
	}
	return texts
}
