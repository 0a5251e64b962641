package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"flag"
	"runtime"
	"syscall"
	"time"

	ohttp "github.com/chris-wood/ohttp-go"
	"github.com/cloudflare/circl/hpke"
)

type benchRow struct {
	Name       string  `json:"name"`
	Kem        string  `json:"kem"`
	Bytes      int     `json:"bytes"`
	Operations int     `json:"operations"`
	CPUMicros  float64 `json:"cpuMicrosPerOp"`
}

// runBench times the gateway's crypto step, in CPU time (user and system) of this process, so that other load on
// the machine moves the figures as little as possible.
func runBench(args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	seconds := flags.Float64("seconds", 1, "CPU seconds per row")
	_ = flags.Parse(args)
	runtime.GOMAXPROCS(1)
	budget := time.Duration(*seconds * float64(time.Second))

	rows := []benchRow{rawX25519(budget)}
	for _, kem := range []string{"x25519", "xwing"} {
		for _, size := range []int{200, 16384} {
			row, err := gatewayStep(kem, size, budget)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
	}
	return printJSON(map[string]any{"versions": versions(), "rows": rows})
}

func gatewayStep(name string, size int, budget time.Duration) (benchRow, error) {
	config, err := newConfig(1, kemNames[name], hpke.KDF_HKDF_SHA256, hpke.AEAD_AES128GCM, nil)
	if err != nil {
		return benchRow{}, err
	}
	plain := make([]byte, size)
	encapsulated, _, err := ohttp.NewDefaultClient(config.Config()).EncapsulateRequest(plain)
	if err != nil {
		return benchRow{}, err
	}
	message := encapsulated.Marshal()
	gateway := ohttp.NewDefaultGateway([]ohttp.PrivateConfig{config})
	row := measure(budget, func() {
		request, _ := ohttp.UnmarshalEncapsulatedRequest(message)
		opened, context, err := gateway.DecapsulateRequest(request)
		if err != nil {
			panic(err)
		}
		if _, err := context.EncapsulateResponse(opened); err != nil {
			panic(err)
		}
	})
	row.Name, row.Kem, row.Bytes = "decapsulate+encapsulate", name, size
	return row, nil
}

func rawX25519(budget time.Duration) benchRow {
	ours, _ := ecdh.X25519().GenerateKey(rand.Reader)
	theirs, _ := ecdh.X25519().GenerateKey(rand.Reader)
	row := measure(budget, func() {
		if _, err := ours.ECDH(theirs.PublicKey()); err != nil {
			panic(err)
		}
	})
	row.Name, row.Kem, row.Bytes = "x25519-derive", "x25519", 32
	return row
}

func measure(budget time.Duration, step func()) benchRow {
	for range 64 {
		step()
	}
	operations := 0
	start := cpuTime()
	for cpuTime()-start < budget {
		for range 64 {
			step()
		}
		operations += 64
	}
	spent := cpuTime() - start
	return benchRow{Operations: operations, CPUMicros: float64(spent.Microseconds()) / float64(operations)}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
