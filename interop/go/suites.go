package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	ohttp "github.com/chris-wood/ohttp-go"
	"github.com/cloudflare/circl/hpke"
)

var kemNames = map[string]hpke.KEM{
	"x25519": hpke.KEM_X25519_HKDF_SHA256,
	"p256":   hpke.KEM_P256_HKDF_SHA256,
	"p384":   hpke.KEM_P384_HKDF_SHA384,
	"p521":   hpke.KEM_P521_HKDF_SHA512,
	"xwing":  hpke.KEM_XWING,
}

func kemByName(name string) (hpke.KEM, error) {
	kem, ok := kemNames[name]
	if !ok {
		return 0, fmt.Errorf("unknown KEM %q", name)
	}
	return kem, nil
}

// newConfigs makes one key per KEM name with key ids 1, 2, ...; ohttp-go offers a single suite per key.
func newConfigs(names string, kdf, aead uint) ([]ohttp.PrivateConfig, error) {
	var configs []ohttp.PrivateConfig
	for i, name := range strings.Split(names, ",") {
		kem, err := kemByName(name)
		if err != nil {
			return nil, err
		}
		config, err := newConfig(uint8(i+1), kem, hpke.KDF(kdf), hpke.AEAD(aead), nil)
		if err != nil {
			return nil, err
		}
		configs = append(configs, config)
	}
	return configs, nil
}

func newConfig(id uint8, kem hpke.KEM, kdf hpke.KDF, aead hpke.AEAD, seed []byte) (ohttp.PrivateConfig, error) {
	if !kem.IsValid() || !kdf.IsValid() || !aead.IsValid() {
		return ohttp.PrivateConfig{}, fmt.Errorf("suite %#x/%#x/%#x is not supported", kem, kdf, aead)
	}
	if seed == nil {
		seed = make([]byte, kem.Scheme().SeedSize())
		_, _ = rand.Read(seed)
	}
	if len(seed) != kem.Scheme().SeedSize() {
		return ohttp.PrivateConfig{}, fmt.Errorf("seed must be %d bytes", kem.Scheme().SeedSize())
	}
	return ohttp.NewConfigFromSeed(id, kem, kdf, aead, seed)
}

// chooseConfig walks an application/ohttp-keys list (RFC 9458 §3.2) and keeps the first entry for the wanted KEM.
// ohttp-go decodes only a single configuration and always uses its first suite, so the list is walked here and the
// suites are cut to the one asked for. aead 0 takes the first suite as offered.
func chooseConfig(list []byte, kem hpke.KEM, aead uint) (ohttp.PublicConfig, error) {
	for len(list) > 0 {
		if len(list) < 2 || int(binary.BigEndian.Uint16(list)) > len(list)-2 {
			return ohttp.PublicConfig{}, fmt.Errorf("key list is cut short")
		}
		length := int(binary.BigEndian.Uint16(list))
		entry := list[2 : 2+length]
		list = list[2+length:]
		config, err := ohttp.UnmarshalPublicConfig(entry)
		if err != nil || config.KEMID != kem {
			continue
		}
		for _, suite := range config.Suites {
			if aead == 0 || suite.AEADID == hpke.AEAD(aead) {
				config.Suites = []ohttp.ConfigCipherSuite{suite}
				return config, nil
			}
		}
	}
	return ohttp.PublicConfig{}, fmt.Errorf("key list has no entry for KEM %s", hex16(uint16(kem)))
}

func hex16(v uint16) string { return "0x" + strconv.FormatUint(uint64(v)+0x10000, 16)[1:] }
