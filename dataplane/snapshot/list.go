package snapshot

import (
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// list renders GET models for each role.
func (s *Snapshot) list() {
	var before []*Model
	for role := range s.Lists {
		key := &Key{Role: Role(role)} //nolint:gosec // below four
		visible := s.Visible(key, func(m *Model) bool { return m.Answers("text") })
		if role > 0 && slices.Equal(visible, before) {
			s.Lists[role] = s.Lists[role-1]
			continue
		}
		size := 64
		for _, m := range visible {
			size += len(m.JSON) + 1
		}
		s.Lists[role] = AppendList(make([]byte, 0, size), visible, "")
		before = visible
	}
}

// Visible returns the models in service that a key may use and keep lets through.
func (s *Snapshot) Visible(k *Key, keep func(*Model) bool) []*Model {
	var out []*Model
	for _, m := range s.Models {
		if len(m.Endpoints) > 0 && k.May(m) && keep(m) {
			out = append(out, m)
		}
	}
	return out
}

// Answers reports whether the model's output may be of that modality.
func (m *Model) Answers(modality string) bool { return slices.Contains(m.Outputs, modality) }

// AppendList appends the list object of all those models.
func AppendList(dst []byte, list []*Model, next string) []byte {
	return AppendPage(dst, list, len(list), next)
}

// AppendPage appends the list object of a page of total models; next is the
// path of the next page, "" for none.
func AppendPage(dst []byte, page []*Model, total int, next string) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, m := range page {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, m.JSON...)
	}
	dst = strconv.AppendInt(append(dst, `],"total_count":`...), int64(total), 10)
	dst = append(dst, `,"links":{"next":`...)
	if next == "" {
		return append(dst, "null}}"...)
	}
	return append(rawjson.AppendString(dst, next), "}}"...)
}
