module github.com/hybridinference/gateway/adapters

go 1.26.0

require github.com/hybridinference/gateway/shared v0.0.0

replace github.com/hybridinference/gateway/shared => ../shared
