package credentials

import (
	"context"
	"errors"
	"io"
	"strings"

	"golang.org/x/crypto/ssh"
)

// errTwice says that a second way to try the same password was not taken.
var errTwice = errors.New("one try a connection")

// loginSSH tries a password once: by the method "password" or, where that is
// not offered, "keyboard-interactive".
func loginSSH(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	sent := false
	answer := func() (string, error) {
		if sent {
			return "", errTwice
		}
		sent = true
		return password, nil
	}
	c, channels, requests, err := ssh.NewClientConn(w, s.Host, sshConfig(account, answer))
	if err == nil {
		go ssh.DiscardRequests(requests)
		go func() {
			for n := range channels {
				_ = n.Reject(ssh.Prohibited, "")
			}
		}()
		c.Close()
		if !sent {
			return open, nil
		}
		return accepted, nil
	}
	said := err.Error()
	switch {
	case throttled(said):
		return locked, nil
	case strings.Contains(said, "unable to authenticate") || strings.Contains(said, errTwice.Error()):
		if !sent {
			return shut, nil
		}
		return refused, nil
	case sent && (errors.Is(err, io.EOF) || strings.Contains(said, "reset by peer")):
		return locked, nil
	}
	return 0, err
}

func sshConfig(account string, answer func() (string, error)) *ssh.ClientConfig {
	all, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	return &ssh.ClientConfig{
		// Old devices, which keep their defaults, know old algorithms only.
		Config: ssh.Config{
			KeyExchanges: append(all.KeyExchanges, weak.KeyExchanges...),
			Ciphers:      append(all.Ciphers, weak.Ciphers...),
			MACs:         append(all.MACs, weak.MACs...),
		},
		HostKeyAlgorithms: append(all.HostKeys, weak.HostKeys...),
		User:              account,
		HostKeyCallback:   ssh.InsecureIgnoreHostKey(),
		Auth: []ssh.AuthMethod{
			ssh.PasswordCallback(answer),
			ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
				if len(questions) == 0 {
					return nil, nil
				}
				if len(questions) > 1 || echos[0] {
					return nil, errTwice // it wants more than a password
				}
				secret, err := answer()
				return []string{secret}, err
			}),
		},
	}
}

// throttled reports whether a service says that it has had enough.
func throttled(said string) bool {
	said = strings.ToLower(said)
	for _, sign := range []string{
		"too many", "locked", "lockout", "banned", "blocked", "rate limit", "try again later", "temporarily", "throttl", "exceeded", "maximum number",
	} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return false
}
