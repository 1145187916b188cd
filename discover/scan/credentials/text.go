package credentials

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

// reply reads an answer of FTP, which may have several lines.
func (w *wire) reply() (code int, text string, err error) {
	var all []string
	for range 100 {
		line, err := w.line()
		if err != nil {
			return 0, "", err
		}
		all = append(all, line)
		if len(line) < 3 || len(all) > 1 && line[:3] != all[0][:3] {
			if len(all) == 1 {
				return 0, "", errors.New("an answer without a code")
			}
			continue
		}
		if len(line) == 3 || line[3] == ' ' {
			for _, c := range line[:3] {
				if c < '0' || c > '9' {
					return 0, "", errors.New("an answer without a code")
				}
				code = code*10 + int(c-'0')
			}
			return code, strings.Join(all, "\n"), nil
		}
	}
	return 0, "", errors.New("an answer without end")
}

func loginFTP(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	v, err := s.ftp(ctx, w, account, password)
	w.Close()
	if !errors.Is(err, errPlain) || s.encrypt {
		return v, err
	}
	s.encrypt = true
	if w, err = s.connect(ctx); err != nil {
		return 0, err
	}
	defer w.Close()
	return s.ftp(ctx, w, account, password)
}

// errPlain says that no password was sent, as the service takes them in TLS only.
var errPlain = errors.New("it takes passwords in TLS only")

// ftp tries a login on a connection.
func (s *service) ftp(ctx context.Context, w *wire, account, password string) (verdict, error) {
	code, text, err := w.reply()
	if err == nil && code == 220 && s.encrypt {
		if err := w.send([]byte("AUTH TLS\r\n")); err != nil {
			return 0, err
		}
		if code, text, err = w.reply(); err == nil && code != 234 {
			return 0, errPlain
		}
		if err == nil {
			err, code = w.secure(ctx, s.Host), 220
		}
	}
	for _, line := range []string{"USER " + account, "PASS " + password} {
		if err != nil {
			return 0, err
		}
		switch {
		case code == 421 || throttled(text):
			return locked, nil
		case code == 230:
			return open, nil // it asked for no password
		case code >= 500 && wantsTLS(text):
			return 0, errPlain
		case code == 220 || code == 331:
		case code == 530 || code == 534 || code == 550 && line[0] == 'P':
			return shut, nil // this account is refused before a password
		default:
			return 0, fmt.Errorf("FTP answers %d", code)
		}
		if err := w.send([]byte(line + "\r\n")); err != nil {
			return 0, err
		}
		code, text, err = w.reply()
	}
	switch {
	case err != nil:
		return 0, err
	case code == 230 || code == 202:
		_ = w.send([]byte("QUIT\r\n"))
		return accepted, nil
	case code == 421 || throttled(text):
		return locked, nil
	case code == 530 && !wantsTLS(text) || code == 430:
		return refused, nil
	}
	return 0, fmt.Errorf("FTP answers %d", code)
}

func wantsTLS(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "tls") || strings.Contains(text, "ssl") || strings.Contains(text, "encrypt")
}

// anonymous asks whether everybody may come in, which is no guess.
func (l *looking) anonymous(ctx context.Context) error {
	w, err := l.dial(ctx, guard.Action{Level: exposure.LevelProbe, What: "anonymous login"})
	if err != nil {
		return err
	}
	defer w.Close()
	v, err := l.ftp(ctx, w, "anonymous", "guest@")
	if errors.Is(err, errPlain) {
		return nil // not even strangers' words are taken; nothing is known
	} else if err != nil {
		return l.failed(ctx, err)
	}
	switch v {
	case accepted, open:
		return l.out.state(exposure.Observation{
			Rule: "credentials/anonymous-ftp", Title: "FTP lets everybody in", Severity: exposure.SeverityMedium,
			Description: "The account anonymous is open. What it can read, and perhaps write, is open to everybody.",
			Solution:    "Close the anonymous account unless the files are meant for everybody.",
			CWEs:        []int{306}, Location: l.at("anonymous"), Detection: exposure.DetectionExploit, Confidence: 100,
			Evidence: []exposure.Evidence{{Kind: "note", Text: fmt.Sprintf("FTP on port %d accepted the account anonymous. The session was ended at once.", l.Port)}},
		})
	case refused, shut:
		l.rules = append(l.rules, "credentials/anonymous-ftp")
	}
	return nil
}

// Bytes of the Telnet protocol, RFC 854.
const (
	iac  = 255
	dont = 254
	do   = 253
	wont = 252
	will = 251
	sb   = 250
	se   = 240
)

// telnet speaks it with a service, refusing every option.
type telnet struct {
	*wire
	said []byte
}

// until reads until the service seems to wait for us: its last line is a
// prompt. quiet is how long it may say nothing after anything.
func (t *telnet) until(prompt func(last string) bool) error {
	for len(t.said) < most {
		b, err := t.ReadByte()
		if err != nil {
			return err
		}
		if b == iac {
			if err := t.option(); err != nil {
				return err
			}
			continue
		}
		if b != 0 && b != '\r' {
			t.said = append(t.said, b)
		}
		if t.Buffered() == 0 && prompt(t.last()) {
			return nil
		}
	}
	return errors.New("it talks without end")
}

// last is the line that is not ended yet.
func (t *telnet) last() string {
	s := string(t.said)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}

func (t *telnet) option() error {
	command, err := t.ReadByte()
	if err != nil || command == iac {
		return err
	}
	if command == sb {
		for range longest {
			b, err := t.ReadByte()
			if err != nil {
				return err
			}
			if b == se {
				return nil
			}
		}
		return errors.New("an option without end")
	}
	if command < will {
		return nil
	}
	option, err := t.ReadByte()
	if err != nil {
		return err
	}
	switch command {
	case do:
		return t.send([]byte{iac, wont, option})
	case will:
		if option == 1 || option == 3 { // echo and no go-ahead are the service's to do
			return t.send([]byte{iac, do, option})
		}
		return t.send([]byte{iac, dont, option})
	}
	return nil
}

func asksName(last string) bool {
	l := strings.ToLower(last)
	return strings.HasSuffix(l, ":") && (strings.Contains(l, "login") || strings.Contains(l, "user") || strings.Contains(l, "account"))
}

func asksPassword(last string) bool {
	l := strings.ToLower(last)
	return strings.HasSuffix(l, ":") && strings.Contains(l, "password")
}

// shell reports whether a line is the prompt of somebody who is logged in.
func shell(last string) bool {
	r, _ := utf8.DecodeLastRuneInString(last)
	return strings.ContainsRune("$#>%", r) && len(last) < 100
}

func telnetBanner(ctx context.Context, s *service) (string, error) {
	w, err := s.dial(ctx, guard.Action{Level: exposure.LevelObserve, What: "banner"})
	if err != nil {
		return "", err
	}
	defer w.Close()
	t := &telnet{wire: w}
	err = t.until(func(last string) bool { return asksName(last) || asksPassword(last) || shell(last) })
	return string(t.said), err
}

func loginTelnet(ctx context.Context, s *service, account, password string) (verdict, error) {
	w, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.Close()
	t := &telnet{wire: w}
	if err := t.until(func(last string) bool { return asksName(last) || asksPassword(last) || shell(last) }); err != nil {
		return 0, err
	}
	if throttled(string(t.said)) {
		return locked, nil
	}
	if shell(t.last()) {
		_ = t.send([]byte("exit\r\n"))
		return open, nil
	}
	asked := false
	if asksName(t.last()) {
		if err := t.answer(account); err != nil {
			return 0, err
		}
		if err := t.until(func(last string) bool { return asksPassword(last) || asksName(last) || shell(last) }); err != nil {
			return 0, err
		}
	}
	if asksPassword(t.last()) {
		asked = true
		if err := t.answer(password); err != nil {
			return 0, err
		}
		if err := t.until(func(last string) bool { return asksPassword(last) || asksName(last) || shell(last) }); err != nil {
			return t.after(err)
		}
	}
	said := strings.ToLower(string(t.said))
	switch {
	case throttled(said):
		return locked, nil
	case asksName(t.last()) || asksPassword(t.last()):
		return refused, nil
	case denied(said): // and a prompt, so it is of something else
		return 0, errors.New("the answer may mean yes and no")
	case !asked && password != "":
		return open, nil
	}
	_ = t.send([]byte("exit\r\n"))
	return accepted, nil
}

// answer sends a line and forgets what was said before it.
func (t *telnet) answer(line string) error {
	t.said = nil
	_ = t.SetDeadline(time.Now().Add(patience))
	return t.send([]byte(line + "\r\n"))
}

// after says what it means that the service hung up after the password.
func (t *telnet) after(err error) (verdict, error) {
	said := string(t.said)
	switch {
	case throttled(said):
		return locked, nil
	case denied(strings.ToLower(said)):
		return refused, nil
	}
	return 0, err
}

func denied(said string) bool {
	for _, word := range []string{"incorrect", "invalid", "denied", "failed", "failure", "wrong", "bad password", "refused"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}
