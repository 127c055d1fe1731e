package openai

import "github.com/hybridinference/gateway/shared/fault"

// zhipuCodes are the codes of Zhipu and Z.AI. Several that no waiting helps
// come with a 429.
func zhipuCodes() map[string]fault.Kind {
	return map[string]fault.Kind{
		"1000": fault.Authentication, "1001": fault.Authentication, "1002": fault.Authentication, "1003": fault.Authentication, "1004": fault.Authentication,
		"1110": fault.Permission, "1111": fault.Permission, "1112": fault.Permission, "1120": fault.Permission, "1121": fault.Permission,
		"1113": fault.Payment, // in arrears
		"1210": fault.InvalidRequest, "1212": fault.InvalidRequest, "1213": fault.InvalidRequest, "1214": fault.InvalidRequest, "1215": fault.InvalidRequest,
		"1211": fault.NotFound, // no such model
		"1220": fault.Permission, "1221": fault.Permission, "1222": fault.Permission,
		"1230": fault.Unavailable, "1231": fault.Unavailable, "1234": fault.Unavailable,
		"1261": fault.ContextLength,
		"1300": fault.ContentFilter, "1301": fault.ContentFilter,
		"1302": fault.RateLimit, "1303": fault.RateLimit,
		"1304": fault.Payment, // for today
		"1305": fault.Overloaded,
		"1308": fault.Payment, "1309": fault.Payment, "1310": fault.Payment, "1313": fault.Payment, // the plan is used up or over
	}
}

// miniMaxCodes are MiniMax's base_resp codes. They are no HTTP statuses, and
// come with a 200.
func miniMaxCodes() map[string]fault.Kind {
	return map[string]fault.Kind{
		"1000": fault.Unavailable, "1024": fault.Unavailable, "1033": fault.Unavailable,
		"1001": fault.Timeout,
		"1002": fault.RateLimit, "1039": fault.RateLimit, "1041": fault.RateLimit, "2045": fault.RateLimit,
		"2056": fault.Payment, "1008": fault.Payment,
		"1004": fault.Authentication, "2049": fault.Authentication,
		"1026": fault.ContentFilter, "1027": fault.ContentFilter,
		"1042": fault.InvalidRequest, "2013": fault.InvalidRequest,
		"2061": fault.Permission, // not in the plan
	}
}

func chutesPhrases() []phrase {
	return []phrase{{429, "maximum capacity", fault.Overloaded}}
}

// featherlessPhrases tell a model that is not loaded from a request that is wrong.
func featherlessPhrases() []phrase {
	return []phrase{
		{400, "cold", fault.Overloaded},
		{400, "not ready", fault.Overloaded},
		{400, "unknown model", fault.NotFound},
		{400, "model not found", fault.NotFound},
		{403, "gated", fault.NotFound},
	}
}
