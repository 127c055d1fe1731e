package cli_test

import "strings"

// answers are what admin says by request.
func answers() map[string]answer {
	return map[string]answer{
		"GET status": {200, `{"version":"v1.2.3","release":12,"epoch":3,"models":2,"endpoints":3,"served":{"models":2,"endpoints":2},"overrides":{"weights":1,"policies":1},"nodes":{"live":2,"stale":1},"nats":"connected",` +
			`"database":"ok","log_store":"the database does not answer","keys":2,"published_release":11,"started":"2030-01-02T03:04:05.678Z",` +
			`"rollouts":[{"model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","state":"running","step":2,"steps":5,"share":5}],"canary":{"id":"c_2","release":13,"nodes":["node-1"],"left_ms":71500}}`},
		"GET models": {200, `[{"model":"demo","name":"Demo","type":"chat","endpoints":1,"role":"free","context_length":131072,"prompt":"","completion":""},` +
			`{"model":"glm-4.6","name":"GLM 4.6 日本","type":"chat","endpoints":2,"role":"pro","context_length":200000,"prompt":"0.6","completion":"2.2"}]`},
		"GET routing": {200, `{"release":12,"routes":{` +
			`"glm-4.6":[{"endpoint":"glm-4.6:local-8000","provider":"vLLM","kind":"vllm","weight":"70%","base_url":"http://10.0.0.1:8000/v1","configured":0.7,"override":null},` +
			`{"endpoint":"glm-4.6:zhipu-api","provider":"Z.AI","kind":"zhipu","weight":"30%","base_url":"https://open.bigmodel.cn/api/paas/v4","configured":0.3,"override":null}],` +
			`"demo":[{"endpoint":"demo:demo-api","provider":"Demo","kind":"demo","weight":"100%","base_url":"","configured":1,"override":0.8}]}}`},
		"GET endpoints": {200, `[{"model":"demo","endpoint":"demo:demo-api","kind":"demo","weight":1,"share":"100%","state":"up","nodes":[]},` +
			`{"model":"glm-4.6","endpoint":"glm-4.6:local-8000","kind":"vllm","weight":0.7,"share":"70%","state":"partly","nodes":[{"node":"node-2","state":"probe_failed","reason":"GET http://10.0.0.1:8000/health: status 503","until_ms":0,"in_flight":0}]},` +
			`{"model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","kind":"zhipu","weight":0.3,"share":"30%","state":"down","nodes":[{"node":"node-1","state":"open","reason":"timeout: no answer","until_ms":1893553445000,"in_flight":3},` +
			`{"node":"node-2","state":"missing_secret","reason":"ZHIPU_API_KEY is not set","until_ms":0,"in_flight":0}]}]`},
		"GET endpoints?out=true": {200, `[{"model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","kind":"zhipu","weight":0.3,"share":"30%","state":"down","nodes":[` +
			`{"node":"node-2","state":"missing_secret","reason":"ZHIPU_API_KEY is not set","until_ms":0,"in_flight":0}]},` +
			`{"model":"","endpoint":"config/models.yaml:88","kind":"","weight":0,"share":"","state":"skipped","nodes":[{"node":"","state":"skipped","reason":"VLLM_BASE_URL is not set","until_ms":0,"in_flight":0}]}]`},
		"GET endpoints?model=demo":     {200, `[{"model":"demo","endpoint":"demo:demo-api","kind":"demo","weight":1,"share":"100%","state":"up","nodes":[]}]`},
		"GET usage?by=model&since=24h": {200, `[{"group":"demo","model":"demo","request_count":10,"error_count":1,"prompt_tokens":50,"completion_tokens":640,"total_tokens":690,"cost_usd":"0.00271"}]`},
		"GET usage?by=key&since=7d":    {200, `[]`},
		"GET usage?by=team%2Ckey&since=7d": {200, `[{"group":"t_1","team":"t_1","team_name":"search","key":"k_1","key_name":"crawler","request_count":2,"cost_usd":"0.1"},` +
			`{"group":"t_1","team":"t_1","team_name":"search","key":"k_2","key_name":"laptop","request_count":1,"cost_usd":"2.5"}]`},
		"GET usage?by=key%2Cday&since=2030-05-01&until=2030-06-01&zone=Asia%2FKolkata": {200, `[{"group":"k_1","key":"k_1","period":"2030-05-01","request_count":2,"error_count":0,"cost_usd":"0.1"},` +
			`{"group":"=cmd()","key":"=cmd()","period":"2030-05-01","request_count":1,"error_count":0,"cost_usd":"-0.000000000001"}]`},
		"GET stats?by=endpoint&hours=24": {200, `{"period_hours":24,"filters":{"model":null,"provider":null},"groups":[{"group":"demo:a","request_count":7,"p95_latency_ms":31,"total_cost_usd":"0"},` +
			`{"group":"demo:b","request_count":3,"p95_latency_ms":900,"total_cost_usd":"0.1"}]}`},
		"GET series?limit=5&since=1h&top=5": {200, `{"step":"minute","since":"2030-01-02T03:00:00Z","total":{"request_count":12,"error_count":1,"total_tokens":900,"total_cost_usd":"0.25","p50_ttft_ms":20,"p95_ttft_ms":90},` +
			`"points":[{"time":"2030-01-02T03:04:00Z","request_count":12,"error_count":1,"total_tokens":900,"total_cost_usd":"0.25","p50_ttft_ms":20,"p95_ttft_ms":90}],"groups":[],"group_count":0}`},
		"GET series?limit=5&since=24h&top=5":          {200, `{"step":"hour","since":"2030-01-02T03:00:00Z","total":{},"points":[],"groups":[],"group_count":0}`},
		"GET series?by=model&limit=5&since=30d&top=5": {200, `{"step":"day","since":"2030-01-01T00:00:00Z","total":{},"points":[],"groups":[{"group":"demo","points":[{"time":"2030-01-02T00:00:00Z","request_count":3,"total_cost_usd":"0"}]}],"group_count":1}`},
		"GET ledger":                        {200, ledgerAnswer},
		"GET ledger?since=7d":               {200, ledgerAnswer},
		"GET ledger?since=30d":              {200, strings.Replace(ledgerAnswer, `"dead_letters":0,"gaps":[]`, `"dead_letters":2,"gaps":[{"node":"node-1","epoch":"e1","first":7,"last":9}]`, 1)},
		"GET deadletters?limit=20":          {200, `[{"id":7,"sink":"postgres","time":"2030-01-02T03:04:05Z","node":"node-1","epoch":"e1","first":"12","last":"12","reason":"latency_ms: negative","bytes":529,"event":"{}"}]`},
		"GET deadletters?limit=5":           {200, `[]`},
		"POST deadletters/replay":           {200, `{"done":[7,8]}`},
		"POST erase":                        {200, `{"before":"2030-01-31T00:00:00Z","rows":12,"contents":3,"pending":0,"dead_letters":0}`},
		"POST deadletters/drop":             {200, `{"done":[7]}`},
		"GET prices":                        {200, pricesAnswer},
		"GET prices?model=demo":             {200, pricesAnswer},
		"POST prices/reprice":               {200, `{"next":"","rows":100,"unlisted":3,"changed":40,"before_usd":"1.5","after_usd":"1.25"}`},
		"GET logs/gen-1893553445-a/content": {200, `{"request_id":"gen-1893553445-a","prompt":"[{\"role\":\"user\",\"content\":\"Hi\"}]","answer":"Hello"}`},
		"POST explain": {200, `{"v":1,"node":"node-1","release":12,"models":["glm-4.6"],"choices":[{"model":"glm-4.6","policy":"latency","affinity":"session","kept_by":"session"}],` +
			`"tried":[{"model":"glm-4.6","endpoint":"glm-4.6:local-8000","provider":"vLLM","weight":0.7,"measured":"first token after 120 ms"}],` +
			`"left":[{"model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","provider":"Z.AI","weight":0.3,"reason":"open: timeout: no answer, until 2030-01-02T03:04:05Z"}],` +
			`"queues":[{"model":"glm-4.6","size":100,"wait_ms":5000,"waiting":3}]}`},
		"GET policies":              {200, "[" + demoPolicy + "," + glmPolicy + "]"},
		"GET policies?model=demo":   {200, "[" + demoPolicy + "]"},
		"GET policies?model=none":   refusal(404, `model "none" not found; available: demo, glm-4.6`),
		"POST endpoints/disable":    {200, `{"release":13,"changed":true,"nodes":[{"node":"node-1","state":"applied","ms":4}]}`},
		"POST endpoints/enable":     {200, `{"release":14,"changed":true,"nodes":[{"node":"node-1","state":"applied","ms":5}]}`},
		"GET weights":               {200, "[" + demoWeight + "," + glmWeights + "]"},
		"GET weights?model=demo":    {200, "[" + demoWeight + "]"},
		"GET weights?model=glm-4.6": {200, "[" + glmWeights + "]"},
		"GET weights?model=none":    refusal(404, `model "none" not found; available: demo, glm-4.6`),

		"GET rollouts":               {200, `[` + runningRollout + `,` + endedRollout + `]`},
		"GET rollouts?active=true":   {200, `[` + runningRollout + `]`},
		"GET rollouts?model=glm-4.6": {200, `[` + runningRollout + `,` + endedRollout + `]`},
		"GET rollouts?model=demo":    {200, `[` + strings.ReplaceAll(endedRollout, "glm-4.6", "demo") + `]`},
		"GET rollouts?model=none":    {200, `[]`},
		"POST rollouts":              {200, runningRollout},
		"POST rollouts/pause":        {200, strings.Replace(runningRollout, `"running"`, `"paused"`, 1)},
		"POST rollouts/resume":       {200, runningRollout},
		"POST rollouts/abort":        {200, endedRollout},
		"POST rollouts/finish":       {200, strings.Replace(endedRollout, "taken_back", "completed", 1)},

		"GET canaries":          {200, `[` + runningCanary + `,` + endedCanary + `]`},
		"POST canaries":         {200, `{"release":13,"changed":true,"changes":["model demo: added with 1 endpoints"],"nodes":[{"node":"node-1","state":"applied","ms":4}],"canary":` + runningCanary + `}`},
		"POST canaries/promote": {200, strings.Replace(endedCanary, "taken_back", "promoted", 1)},
		"POST canaries/abort":   {200, strings.Replace(endedCanary, "taken_back", "aborted", 1)},

		"GET releases?limit=20":           {200, releases},
		"GET releases?limit=5":            {200, releases},
		"GET releases?before=12&limit=20": {200, `[]`},
		"GET releases/2/diff":             {200, `{"from":1,"to":2,"changes":["endpoint demo:demo-api: weight 1 -> 0.5"]}`},
		"GET releases/2/diff?from=1":      {200, `{"from":1,"to":2,"changes":["endpoint demo:demo-api: weight 1 -> 0.5"]}`},
		"GET releases/12/diff?from=1":     {200, `{"from":1,"to":12,"changes":[]}`},
		"GET releases/1/diff":             refusal(404, "release 0: not found"),
		"GET releases/1":                  {200, release(1, 1)},
		"GET releases/2":                  {200, release(2, 0.5)},
		"GET releases/12":                 {200, release(12, 1)},
		"GET releases/99":                 refusal(404, "release 99 not found; the oldest is 1, the newest 12"),
		"POST releases/99/rollback":       refusal(404, "release 99 not found; the oldest is 1, the newest 12"),

		"GET nodes":          {200, "[" + node1 + "," + node2 + "," + node3 + "]"},
		"GET nodes/node-1":   {200, node1},
		"GET nodes/node-2":   {200, node2},
		"GET nodes/node-9":   refusal(404, `node "node-9" not found; available: node-1, node-2, node-3`),
		"GET nodes/a%2Fb%20": refusal(404, `node "a/b " not found`),

		"POST keys": {201, `{"key":"hyi-plaintext","id":"k_01","name":"build-farm","user":"build-farm","role":"free","models":[],` +
			`"created":"2030-01-02T03:04:05Z","expires":null,"revoked":null,"prefix":"hyi-plai","nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"GET keys":                             {200, "[" + spent(key1, "0.5") + "," + spent(key2, "0") + "]"},
		"GET keys/KEY_ID":                      {200, key1},
		"GET keys/k_02":                        {200, key2},
		"GET limits":                           {200, `[{"holder":"gateway","id":"","name":"","kind":"concurrency","value":"200","provider":"zhipu","state":"outage","used":"","leased":"","left":"","refused":0,"alert":null,"resets_at":null,"nodes":[]},` + searchBudget + `]`},
		"GET limits?of=search":                 {200, `[` + searchBudget + `]`},
		"PUT limits":                           {200, `{"limits":[` + searchBudget + `],"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"DELETE limits":                        {200, `{"limits":[],"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"GET teams":                            {200, `[` + searchTeam + `]`},
		"GET teams/search":                     {200, searchTeam},
		"POST teams":                           {201, strings.TrimSuffix(searchTeam, "}") + `,"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"PATCH teams/search":                   {200, strings.TrimSuffix(searchTeam, "}") + `,"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"DELETE teams/search":                  {200, strings.TrimSuffix(searchTeam, "}") + `,"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"GET keys/k_99":                        refusal(404, `key "k_99" not found`),
		"GET operators":                        {200, `[` + grafana + `]`},
		"POST operators":                       {201, strings.TrimSuffix(grafana, "}") + `,"token":"hyo-secret"}`},
		"POST operators/grafana/rotate":        {200, strings.TrimSuffix(grafana, "}") + `,"token":"hyo-secret"}`},
		"DELETE operators/grafana":             {200, grafana},
		"GET sessions":                         {200, `[` + signedIn + `]`},
		"DELETE sessions/ada":                  {200, `[` + signedIn + `]`},
		"DELETE sessions/ses_3f2a90c1d4e5b6a7": {200, `[` + signedIn + `]`},
		"GET whoami":                           {200, `{"name":"grafana","role":"viewer"}`},
		"POST keys/KEY_ID/rotate": {201, `{"key":"hyi-plaintext","id":"k_04","name":"build-farm","user":"build-farm","role":"free","models":[],` +
			`"created":"2030-02-02T03:04:05Z","expires":null,"revoked":null,"prefix":"hyi-plai","nodes":[{"node":"node-1","state":"applied","ms":2}],` +
			`"replaces":` + strings.Replace(key1, `"expires":null`, `"expires":"2030-02-09T03:04:05Z"`, 1) + `}`},
		"POST keys/k_02/rotate": refusal(409, "key k_02 is revoked"),
		"POST keys/import":      {200, `{"imported":1,"known":1,"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"PATCH keys/KEY_ID":     {200, strings.TrimSuffix(key1, "}") + `,"nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"PATCH keys/k_02":       refusal(409, "key k_02 is revoked"),
		"DELETE keys/KEY_ID":    {200, `{"id":"KEY_ID","revoked":"2030-01-02T03:04:05Z","nodes":[{"node":"node-1","state":"applied","ms":2}]}`},
		"DELETE keys/k_03":      {200, `{"id":"k_03","revoked":"2030-01-02T03:04:05Z","nodes":[{"node":"node-1","state":"applied","ms":2},{"node":"node-2","state":"pending","ms":500}]}`},

		"GET stats?by=node&hours=24&min_ms=5000":  {200, `{"period_hours":24,"filters":{"model":null,"provider":null},"groups":[{"group":"node-1","request_count":7,"p95_ttft_ms":31,"total_cost_usd":"0"}]}`},
		"GET stats?hours=24":                      {200, `{"period_hours":24,"filters":{"model":null,"provider":null},"stats":[` + stats + `]}`},
		"GET stats?model=demo&since=2h&until=30m": {200, `{"period_hours":2,"filters":{"model":"demo","provider":null},"stats":[` + stats + `]}`},
		"GET stats?model=demo&since=2h":           {200, `{"period_hours":2,"filters":{"model":"demo","provider":null},"stats":[` + stats + `]}`},
		"GET stats?hours=2&model=demo":            {200, `{"period_hours":2,"filters":{"model":"demo","provider":null},"stats":[` + stats + `]}`},
		"GET stats?hours=1":                       {200, `{"error":"Database logging not configured"}`},

		"GET shadows?model=demo&since=24h":                                       {200, shadowsAnswer},
		"GET shadows?model=demo&since=7d":                                        {200, shadowsAnswer},
		"GET shadows?endpoint=none&model=demo&since=2030-01-01&until=2030-02-01": {200, `{"model":"demo","shadows":[]}`},
		"GET shadows?model=none&since=24h":                                       refusal(404, `model "none" not found; available: demo, glm-4.6`),

		"POST billing/find": {200, `[{"upstream_id":"gen-1","time":"2030-05-01T10:00:00Z","provider":"OpenRouter","upstream_model":"openai/gpt-5-mini","model":"gpt-5-mini","usage_source":"provider",` +
			`"prompt_tokens":1000,"completion_tokens":20,"cost_usd":"0.0012"},{"upstream_id":"gen-2","time":"2030-05-01T11:00:00Z","provider":"OpenRouter","upstream_model":"openai/gpt-5-mini",` +
			`"model":"gpt-5-mini","usage_source":"provider","prompt_tokens":600,"completion_tokens":20,"cost_usd":"0.0008"}]`},
		"GET audit?limit=50":                                         {200, auditLog},
		"GET audit?limit=5":                                          {200, auditLog},
		"GET audit?limit=50&since=7d":                                {200, auditLog},
		"GET audit?limit=50&since=7d&until=2030-01-03":               {200, auditLog},
		"GET series?limit=5&since=2030-01-02&top=5&until=2030-01-03": {200, `{"step":"hour","since":"2030-01-02T00:00:00Z","total":{},"points":[],"groups":[],"group_count":0}`},
		"GET audit?limit=1":                                          {200, `[]`},
		"GET audit?before=8&limit=50":                                {200, `[]`},
	}
}

const (
	shadowsAnswer = `{"model":"demo","shadows":[{"endpoint":"demo:next","share":"5%","pairs":4,"unmatched":1,` +
		`"main":{"error_count":0,"statuses":{"200":4},"endpoints":{"demo:demo-api":4},"p50_latency_ms":20,"p95_latency_ms":41,"p50_ttft_ms":2,"p95_ttft_ms":4,"prompt_tokens":400,"completion_tokens":46,` +
		`"reasoning_tokens":4,"cache_read_tokens":200,"cost_usd":"0.04","finish_reasons":{"stop":3,"tool_calls":1},"tool_calls":2,"json_asked":2,"json_valid":2},` +
		`"shadow":{"error_count":1,"statuses":{"200":3,"502":1},"endpoints":{"demo:next":4},"p50_latency_ms":6,"p95_latency_ms":30,"p50_ttft_ms":3,"p95_ttft_ms":4,"prompt_tokens":300,"completion_tokens":60,` +
		`"reasoning_tokens":3,"cache_read_tokens":150,"cost_usd":"0.006","finish_reasons":{"length":1,"stop":1,"tool_calls":1},"tool_calls":1,"json_asked":1,"json_valid":0},` +
		`"same_finish_reason":2,"same_tool_calls":3}]}`

	demoWeight = `{"model":"demo","endpoint":"demo:demo-api","weight":0.8,"share":"100%","serving":"100%","state":"up","configured":1,"override":true}`
	demoPolicy = `{"model":"demo","policy":"weighted","affinity":"prefix","configured_policy":"weighted","configured_affinity":"prefix","override":false}`
	glmPolicy  = `{"model":"glm-4.6","policy":"latency","affinity":"session","configured_policy":"weighted","configured_affinity":"prefix","override":true}`
	glmWeights = `{"model":"glm-4.6","endpoint":"glm-4.6:local-8000","weight":0.7,"share":"70%","serving":"0%","state":"down","configured":0.7,"override":false},` +
		`{"model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","weight":0.3,"share":"30%","serving":"100%","state":"up","configured":0.3,"override":false}`

	runningRollout = `{"id":"r_2","model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","state":"running","steps":[1,5,100],"step":2,"share":5,"every":"2m","guard":"errors<2%,ttft_p95<2s","min_requests":20,` +
		`"author":"alice","reason":"new region","started":"2030-01-02T03:04:05Z","since":"2030-01-02T03:06:05Z","left_ms":71500,"ended":null,"next":"wait","why":"the step takes 1m11s more",` +
		`"results":[{"guard":"errors<2%","state":"ok","value":"0%","others":"0.1%","requests":214},{"guard":"ttft_p95<2s","state":"waiting","value":"","others":"","requests":0}],` +
		`"log":[{"time":"2030-01-02T03:04:05Z","release":11,"share":1,"what":"step 1 of 3, 1%: new region"},{"time":"2030-01-02T03:06:05Z","release":12,"share":5,"what":"step 2 of 3, 5%: errors<2%: 0% of 60 requests"}]}`
	endedRollout = `{"id":"r_1","model":"glm-4.6","endpoint":"glm-4.6:zhipu-api","state":"taken_back","steps":[1,5,100],"step":1,"share":0,"every":"2m","guard":"errors<2%","min_requests":20,` +
		`"author":"alice","reason":"","started":"2030-01-01T03:04:05Z","since":"2030-01-01T03:04:05Z","left_ms":0,"ended":"2030-01-01T03:04:25Z","next":"","why":"errors<2%: 100% of 3 requests, others 0%",` +
		`"results":[],"log":[{"time":"2030-01-01T03:04:05Z","release":9,"share":1,"what":"step 1 of 3, 1%"},{"time":"2030-01-01T03:04:25Z","release":10,"share":0,"what":"errors<2%: 100% of 3 requests, others 0%"}]}`

	runningCanary = `{"id":"c_2","state":"running","release":13,"nodes":["node-1"],"for":"10m","guard":"errors<2%","min_requests":20,"models":["demo"],"endpoints":["demo:demo-api"],` +
		`"author":"alice","reason":"canary c_2 on node-1: two more models","started":"2030-01-02T03:04:05Z","left_ms":71500,"ended":null,"final_release":0,"next":"wait","why":"the step takes 1m11s more",` +
		`"results":[{"of":"","guard":"errors<2%","state":"ok","value":"0%","others":"0.1%","requests":214},{"of":"demo:demo-api","guard":"errors<2%","state":"waiting","value":"0%","others":"0.1%","requests":9}]}`
	endedCanary = `{"id":"c_1","state":"taken_back","release":9,"nodes":["node-1","node-2"],"for":"10m","guard":"errors<2%","min_requests":20,"models":["demo"],"endpoints":["demo:demo-api"],` +
		`"author":"alice","reason":"canary c_1 on node-1, node-2","started":"2030-01-01T03:04:05Z","left_ms":0,"ended":"2030-01-01T03:04:25Z","final_release":10,"next":"","why":"taken back: demo:demo-api: errors<2%: 100% of 3 requests, others 0%","results":[]}`

	releases = `[{"release":12,"time":"2030-01-02T03:04:05Z","author":"alice","reason":"night <shift>","hash":"` + hash + `","models":2,"current":true},` +
		`{"release":11,"time":"2030-01-01T00:00:00Z","author":"","reason":"","hash":"` + hash + `","models":2,"current":false}]`

	node1 = `{"node":"node-1","state":"live","version":"v1.2.3","release":12,"release_state":"applied","reason":"","source":"nats","keys":4,"in_flight":17,` +
		`"requests":123456,"usage_issued":123456,"usage_pending":3,"usage_lost":0,"missing_secrets":[],"troubled":[],"last_seen_ms":412,"uptime_s":259200,"draining":false}`
	node2 = `{"node":"node-2","state":"live","version":"v1.2.2","release":11,"release_state":"rejected","reason":"glm-4.6:zhipu-api: unknown kind","source":"disk",` +
		`"keys":4,"in_flight":0,"requests":98,"usage_issued":98,"usage_pending":0,"usage_lost":2,` +
		`"missing_secrets":[{"endpoint":"glm-4.6:zhipu-api","variable":"ZHIPU_API_KEY"}],"troubled":[],"last_seen_ms":1800,"uptime_s":90,"draining":true,"clock_skew_ms":-3600120}`
	node3 = `{"node":"node-3","state":"stale","version":"v1.2.3","release":12,"release_state":"applied","reason":"","source":"nats","keys":4,"in_flight":0,` +
		`"requests":5,"usage_issued":5,"usage_pending":0,"usage_lost":0,"missing_secrets":[],"troubled":[],"last_seen_ms":7260000,"uptime_s":3600,"draining":false}`

	key1 = `{"id":"KEY_ID","name":"build-farm","user":"build-farm","role":"free","models":[],"created":"2030-01-02T03:04:05Z","expires":null,"revoked":null,"prefix":"hyi-plai"}`
	key2 = `{"id":"k_02","name":"evil\u001b[2Jname","user":"alice@example.org","role":"pro","models":["demo","glm-4.6"],"created":"2030-01-02T03:04:05Z",` +
		`"expires":"2031-01-01T00:00:00Z","revoked":"2030-06-01T12:00:00Z","prefix":"hyi-abcd"}`

	stats = `{"hour":"2030-01-02T03:00:00Z","model_id":"demo","provider":"Demo","request_count":1000,"success_count":998,"error_count":2,"total_prompt_tokens":5000,` +
		`"total_completion_tokens":64000,"total_tokens":69000,"total_cost_usd":"0.0271","avg_latency_ms":12.34,"p50_latency_ms":11,"p95_latency_ms":30,"p99_latency_ms":41},` +
		`{"hour":"2030-01-02T02:00:00Z","model_id":"glm-4.6","provider":"Z.AI","request_count":1,"success_count":1,"error_count":0,"total_prompt_tokens":5,` +
		`"total_completion_tokens":6,"total_tokens":11,"total_cost_usd":"0","avg_latency_ms":812}`

	auditLog = `[{"id":9,"time":"2030-01-02T03:04:05.678901Z","author":"alice","action":"weights.set","target":"demo","reason":"night shift","detail":"demo:demo-api=0.8"},` +
		`{"id":8,"time":"2030-01-02T03:00:00Z","author":"bob","action":"keys.create","target":"k_02","reason":"","detail":{"role":"pro","models":["demo"]}},` +
		`{"id":7,"time":"2030-01-02T02:00:00Z","author":"","action":"login.failed","target":"10.0.0.9","reason":"","detail":null}]`
)

const (
	ledgerAnswer = `{"nodes":[{"node":"node-1","state":"live","issued":100,"stored":95,"dead_lettered":0,"in_transit":2,"pending":3,"lost":0,"spooled_bytes":4096,"balanced":true}],` +
		`"sum":{"node":"all","state":"","issued":100,"stored":95,"dead_lettered":0,"in_transit":2,"pending":3,"lost":0,"spooled_bytes":4096,"balanced":true},` +
		`"sinks":[{"sink":"postgres","waiting_frames":2,"frames_in_hand":1}],"stream_frames":3,"stream_bytes":900,"dead_letters":0,"gaps":[]}`

	logRow1 = `{"request_id":"gen-1893553445-a","received_at":"2030-01-02T03:04:05.678000Z","model_id":"demo","endpoint":"demo:demo-api","user_id":"alice","status_code":200,` +
		`"outcome":"complete","latency_ms":12,"prompt_tokens":5,"completion_tokens":64,"cost_usd":"0.000271","error":null,"params":{"seed":9007199254740993}}`
	logRow2 = `{"request_id":"gen-1893553446-b","received_at":"2030-01-02T03:04:06.000001Z","model_id":"demo","endpoint":null,"user_id":"bob, \"the\" builder","status_code":502,` +
		`"outcome":"upstream_error","latency_ms":7,"prompt_tokens":null,"completion_tokens":null,"cost_usd":null,"error":"no answer","params":null}`
)

// release is as short as a release can be.
func release(number, weight float64) string {
	return `{"v":1,"epoch":3,"number":` + text(number) + `,"time":1893553445,"author":"alice","reason":"first","hash":"` + hash + `","snapshot":{"default_model":"demo",` +
		`"models":[{"id":"demo","name":"Demo","owned_by":"demo","type":"chat","created":1893553445,"context_length":131072,"max_output_length":8192,` +
		`"input_modalities":["text"],"output_modalities":["text"],"supports_tools":true,"supports_structured_output":true,"supported_parameters":["stop"],` +
		`"required_role":"free","pricing":{},"endpoints":[{"id":"demo:demo-api","kind":"demo","provider":"Demo","weight":` + text(weight) + `,"upstream_model":"demo","pricing":{}}]}],` +
		`"health_check":{"interval_ms":10000,"timeout_ms":2000}}}`
}

// spent adds what a key has cost.
func spent(key, cost string) string {
	return strings.TrimSuffix(key, "}") + `,"last_used":"2020-01-02T03:04:05Z","spent":{"total":"` + cost + `","day":"0","week":"0","month":"0"}}`
}

const (
	searchBudget = `{"holder":"team","id":"t_1","name":"search","kind":"budget","value":"500","reset":"month","state":"spent","used":"500.25","leased":"0","left":"0","refused":12,"alert":{"percent":100,"time":"2030-01-20T00:00:00Z","delivery":"pending"},` +
		`"resets_at":"2030-02-01T00:00:00Z","nodes":[{"node":"node-1","used":"400","leased":"0","refused":12},{"node":"node-2","used":"100.25","leased":"0","refused":0}]}`
	grafana    = `{"id":"op_1","name":"grafana","role":"viewer","created":"2030-01-02T03:04:05Z","expires":null,"revoked":null}`
	signedIn   = `{"id":"ses_3f2a90c1d4e5b6a7","name":"ada","role":"operator","method":"oidc","created":"2030-01-02T03:04:05Z","seen":"2030-01-02T04:04:05Z","expires":"2030-01-02T15:04:05Z","idle_expires":"2030-01-02T05:04:05Z","current":false}`
	searchTeam = `{"id":"t_1","name":"search","owner":"ada","models":["demo"],"limits":[{"kind":"tpm","value":"2M"},{"kind":"budget","value":"500","reset":"month"}],` +
		`"metadata":{"cost_centre":"4711"},"users":["alice","bob"],"keys":["k_01"],"created":"2030-01-02T03:04:05Z"}`
)

const pricesAnswer = `[{"model":"demo","endpoint":"demo:demo-api","version":"9a3f00c1d2e4","from":null,"until":"2030-06-01T00:00:00Z","service_tier":"","min_prompt_tokens":0,` +
	`"prices":{"prompt":"3","completion":"15","cache_read":"3"},"unknown":["cache_read","web_search"],"upstream":false}]`

var billingAnswer = "[" + billing("2030-05-01", "OpenRouter", "openai/gpt-5-mini", `"provider","cost_source":"list","outcome":"complete"`, 2, 1600, 40, "0.002") +
	"," + billing("2030-05-01", "Anthropic", "claude-haiku-4-5", `"provider","cost_source":"list","outcome":"complete"`, 4, 200, 40, "0.0003") +
	"," + billing("2030-05-01", "DeepSeek", "deepseek-chat", `"provider","cost_source":"list","outcome":"complete"`, 3, 1500, 90, "0.003") +
	"," + billing("2030-05-31", "DeepSeek", "deepseek-chat", `"provider","cost_source":"list","outcome":"complete"`, 1, 10, 9, "0.0001") +
	"," + billing("2030-05-01", "Z.AI", "glm-4.6", `"estimated","cost_source":"list","outcome":"client_gone"`, 1, 7, 3, "0.001") + "]"

func billing(day, provider, model, sources string, requests, prompt, completion float64, cost string) string {
	return `{"day":"` + day + `","provider":"` + provider + `","upstream_model":"` + model + `","model":"` + model + `","usage_source":` + sources + `,"is_byok":false,` +
		`"upstream_cost_known":false,"request_count":` + text(requests) + `,"prompt_tokens":` + text(prompt) + `,"completion_tokens":` + text(completion) + `,"cost_usd":"` + cost + `","upstream_cost_usd":"0"}`
}
