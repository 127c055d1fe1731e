package run

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Ask is a health check without another program in the image: it gets url,
// which a process serves on the same host, and fails unless the status is 200.
// Certificate is the PEM file that the process speaks TLS with, "" if it does
// not; it is believed, whatever name it is for.
func Ask(ctx context.Context, url, certificate string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	client := http.DefaultClient
	if certificate != "" {
		conf, err := believe(certificate)
		if err != nil {
			return err
		}
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d: %s", url, resp.StatusCode, text)
	}
	return nil
}

func believe(path string) (*tls.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM", path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	conf := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: cert.Subject.CommonName}
	conf.RootCAs.AddCert(cert)
	switch {
	case len(cert.DNSNames) > 0:
		conf.ServerName = cert.DNSNames[0]
	case len(cert.IPAddresses) > 0:
		conf.ServerName = cert.IPAddresses[0].String()
	}
	return conf, nil
}
