module privacy-edge/interop

go 1.26

require (
	github.com/chris-wood/ohttp-go v0.0.0-20260205154755-776f22a178b8
	github.com/cloudflare/circl v1.6.5
)

require (
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
