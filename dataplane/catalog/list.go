package catalog

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Page answers GET models with a query: those of models that it selects. The
// models have that output modality unless the query asks for others; path is
// where the page stands, for the link to the next one.
func Page(models []*Model, query url.Values, modality, path string) ([]byte, *problem.Problem) {
	s, p := newSelection(query, modality)
	if p != nil {
		return nil, p
	}
	list := s.apply(models)
	page, next := s.page(list)
	if next < 0 {
		return appendPage(nil, page, len(list), ""), nil
	}
	query.Set("offset", strconv.Itoa(next))
	return appendPage(nil, page, len(list), path+"?"+query.Encode()), nil
}

// Count counts the models that a query selects.
func Count(models []*Model, query url.Values) (int, *problem.Problem) {
	s, p := newSelection(query, "text")
	if p != nil {
		return 0, p
	}
	return len(s.apply(models)), nil
}

// apply returns the selected models in the order that was asked for.
func (s *selection) apply(models []*Model) []*Model {
	var out []*Model
	for _, m := range models {
		if s.keeps(m) {
			out = append(out, m)
		}
	}
	if s.order != nil {
		slices.SortStableFunc(out, s.order)
	}
	return out
}

// appendPage appends the list object of a page of total models; next is the
// path of the next page, "" for none.
func appendPage(dst []byte, page []*Model, total int, next string) []byte {
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
