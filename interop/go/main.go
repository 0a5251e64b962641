// Command ohttp-go-peer is the Go side of the interop matrix: a client, a gateway, a reverse proxy and a target on
// net/http, with Oblivious HTTP done by the registry module github.com/chris-wood/ohttp-go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

var commands = map[string]func([]string) error{
	"gateway":      runGateway,
	"client":       runClient,
	"reverseproxy": runReverseProxy,
	"target":       runTarget,
	"bench":        runBench,
	"vectors":      runVectors,
	"version":      runVersion,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: ohttp-go-peer gateway|client|reverseproxy|target|bench|vectors|version [flags]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		_ = printJSON(map[string]string{"error": err.Error()})
		os.Exit(1)
	}
}

// printJSON writes one line, so that a parent process can read it without waiting for the end of the stream.
func printJSON(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

// versions names the toolchain and the modules that decide what a result means.
func versions() map[string]string {
	out := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	out["go"] = info.GoVersion
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/chris-wood/ohttp-go", "github.com/cloudflare/circl":
			out[dep.Path] = dep.Version
		}
	}
	return out
}

func runVersion([]string) error { return printJSON(versions()) }
