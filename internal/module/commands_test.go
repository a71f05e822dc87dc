package module

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"larder/internal/testkit"
)

// serverHost is a loopback address of the test's own, so that it meets no other Redis.
const serverHost = "127.77.1.1"

// writeCertificate makes a certificate that is its own CA and returns the names of its file and its key's.
func writeCertificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "larder test"},
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.ParseIP(serverHost)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// startRedis runs a redis-server with TLS and the token until the test ends, and returns its port.
func startRedis(t *testing.T, dir, cert, key, extra string) int {
	t.Helper()
	l, err := net.Listen("tcp", serverHost+":0")
	if err != nil {
		testkit.Missing(t, "no second loopback address on this machine: "+err.Error())
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("redis-server", "-")
	server.Stdin = strings.NewReader(fmt.Sprintf("bind %s\nport 0\ntls-port %d\ntls-cert-file %s\ntls-key-file "+
		"%s\ntls-ca-cert-file %s\n"+
		"tls-auth-clients no\nrequirepass \"%s\"\nsave \"\"\ndir %s\n%s", serverHost, port, cert, key, cert, testToken,
		dir, extra))
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill() // fails only when it is gone already
		server.Wait()         // reports the kill
	})
	var log bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(out, &log)); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go io.Copy(io.Discard, out) // ends with the server, which the cleanup waits for
			return port
		}
	}
	t.Fatalf("redis-server did not start:\n%s", &log)
	return 0
}

// The command as printed, in a shell as `larder env` leaves it, reaches a real Redis and gets past TLS and AUTH.
func TestConnectionTestCommandRuns(t *testing.T) {
	for _, program := range []string{"redis-server", "redis-cli"} {
		if _, err := exec.LookPath(program); err != nil {
			testkit.Missing(t, program+" is not installed")
		}
	}
	for name, lines := range map[string][]string{"cluster mode off": nil,
		"cluster mode on": {`cluster_mode_enabled = true`}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := writeCertificate(t, dir)
			extra := ""
			if lines != nil {
				extra = "cluster-enabled yes\n"
			}
			port := startRedis(t, dir, cert, key, extra)
			larder := fmt.Sprintf("#!/bin/sh\ntest \"$*\" = \"outputs --deployment shop-dev-redis auth_token\" && "+
				"echo '%s'\n", testToken)
			if err := os.WriteFile(filepath.Join(dir, "larder"), []byte(larder), 0o700); err != nil {
				t.Fatal(err)
			}
			call := mustLoad(t, block(lines...))
			observed := observe(call.Resources(Known{}))
			*endpoint(observed.ReplicationGroup) = ectypes.Endpoint{Address: aws.String(serverHost),
				Port: aws.Int32(int32(port))}
			command := value(call.Outputs(observed, testAccess(true)), "connection_test_command").(string)
			shell := exec.Command("sh", "-c", command)
			shell.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SSL_CERT_FILE="+cert)
			if out, err := shell.CombinedOutput(); err != nil || string(out) != "PONG\n" {
				t.Errorf("%s\ngives %s, %v", command, out, err)
			}
			shell = exec.Command("sh", "-c", command)
			shell.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SSL_CERT_FILE=/dev/null")
			if out, _ := shell.CombinedOutput(); strings.Contains(string(out), "PONG") {
				t.Errorf("%s\ntrusts a certificate that no CA has signed", command)
			}
		})
	}
}

// The shell reads every command as it is meant: here documents end, quotes close.
func TestCommandsAreShell(t *testing.T) {
	for name := range seedHeadings {
		call, diags := load("testdata/seed/"+name+".tf", Vars{})
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, local := range []bool{true, false} {
			for _, o := range call.Outputs(observe(call.Resources(Known{})), testAccess(local)) {
				command, isText := o.Value.(string) // a command for what larder does not do is null
				if !isText || !strings.HasSuffix(o.Name, "_command") && !strings.HasSuffix(o.Name, "_example") {
					continue
				}
				if out, err := exec.Command("sh", "-n", "-c", command).CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%s: sh -n says %v, %s", o.Name, err, out)
				}
			}
		}
	}
}
