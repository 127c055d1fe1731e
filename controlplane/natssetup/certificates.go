package natssetup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"time"
)

const (
	authorityYears = 20
	// serverYears is how long a server's certificate lasts; Renew makes another.
	serverYears = 5
	authority   = "ca.pem"
)

// certificates makes an authority and a certificate for each host.
func (s *setup) certificates() error {
	ca, err := s.authority()
	if err != nil {
		return fmt.Errorf("%s: %w", authority, err)
	}
	for _, host := range s.o.Hosts {
		name := fileName(host)
		if text, err := s.kept(name + ".pem"); err != nil || text != nil {
			if err != nil {
				return err
			}
			continue
		}
		t := draft("NATS "+host, serverYears)
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // servers of a cluster call each other
		t.DNSNames, t.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
		if err := s.sign(name, t, ca); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Certificate is a server's, and when it ends.
type Certificate struct {
	File    string    `json:"file"`
	Ends    time.Time `json:"ends"`
	Renewed bool      `json:"renewed"`
}

// Renew replaces the certificates of NATS servers in dir that end within a
// time, for the same names and with new keys, and returns them all. The
// authority stays, so that clients need nothing new.
func Renew(dir string, within time.Duration) (list []Certificate, err error) {
	s := setup{o: Options{Dir: dir}}
	paths, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	ca, err := tls.LoadX509KeyPair(s.path(authority), s.path("keys/ca.key"))
	if err != nil {
		return nil, fmt.Errorf("the authority that signs certificates: %w", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".pem")
		if name+".pem" == authority {
			continue
		}
		one, err := s.renew(name, &ca, within)
		if err != nil {
			return list, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, one)
	}
	return list, nil
}

func (s *setup) renew(name string, ca *tls.Certificate, within time.Duration) (Certificate, error) {
	pair, err := tls.LoadX509KeyPair(s.path(name+".pem"), s.path(name+".key"))
	if err != nil {
		return Certificate{}, err
	}
	old, path := pair.Leaf, s.path(name+".pem")
	if time.Until(old.NotAfter) > within {
		return Certificate{File: path, Ends: old.NotAfter}, nil
	}
	t := draft(old.Subject.CommonName, serverYears)
	t.ExtKeyUsage, t.DNSNames, t.IPAddresses = old.ExtKeyUsage, old.DNSNames, old.IPAddresses
	return Certificate{File: path, Ends: t.NotAfter, Renewed: true}, s.sign(name, t, ca)
}

func draft(name string, years int) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"gateway"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// authority returns the pair that signs the others.
func (s *setup) authority() (*tls.Certificate, error) {
	text, err := s.kept(authority)
	if err != nil {
		return nil, err
	}
	if text == nil {
		t := draft("gateway NATS authority", authorityYears)
		t.IsCA, t.BasicConstraintsValid = true, true
		t.KeyUsage |= x509.KeyUsageCertSign
		if err := s.signAs("ca", "keys/ca", t, nil); err != nil {
			return nil, err
		}
	}
	pair, err := tls.LoadX509KeyPair(s.path(authority), s.path("keys/ca.key"))
	return &pair, err
}

func (s *setup) sign(name string, t *x509.Certificate, by *tls.Certificate) error {
	return s.signAs(name, name, t, by)
}

// signAs writes cert.pem and key.key; without a signer the pair signs itself.
func (s *setup) signAs(cert, key string, t *x509.Certificate, by *tls.Certificate) error {
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	parent, signer := t, any(pair)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &pair.PublicKey, signer)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return err
	}
	if err := s.write(key+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), secretMode); err != nil {
		return err
	}
	return s.write(cert+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), publicMode)
}
