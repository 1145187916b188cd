package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/leeward-ctem/leeward/exposure"
	"github.com/leeward-ctem/leeward/guard"
)

const (
	axfr = dnsmessage.Type(252)

	transferPort  = 53
	transferWait  = 8 * time.Second
	maxTransfer   = 4 << 20
	maxPerMessage = 20_000
)

// transfer asks each name server for the whole zone (RFC 5936). One that the
// rules of engagement do not reach is not asked, and the rule not covered.
func (l *look) transfer() {
	const rule = "zone-transfer"
	for _, s := range data(l.ask(l.domain, "NS", rule), "NS") {
		records, done := l.transferFrom(s)
		if !done {
			l.unsure[rule] = true
		}
		if records > 1 { // one alone is the beginning, which is no secret
			l.shows(rule, strings.ToLower(s), fmt.Sprintf("AXFR of %s from %s: %d records", l.domain, s, records))
		}
	}
}

// transferFrom returns how many records a name server gave; done is false when
// it did not say that it gives none.
func (l *look) transferFrom(server string) (records int, done bool) {
	name, err := dnsmessage.NewName(l.domain + ".")
	if err != nil {
		return 0, false
	}
	const id = 0x1ee0
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id}, Questions: []dnsmessage.Question{{Name: name, Type: axfr, Class: dnsmessage.ClassINET}}}
	query, err := m.Pack()
	if err != nil {
		return 0, false
	}
	c, err := l.job.Network.Dial(l.ctx, guard.Action{
		Level: exposure.LevelObserve, Host: server, Port: transferPort, What: "zone transfer of " + l.domain, Timeout: 5 * time.Second,
	})
	if err != nil {
		return 0, guard.Closed(err) // by TCP nothing is given there
	}
	defer c.Close()
	if c.SetDeadline(time.Now().Add(transferWait)) != nil {
		return 0, false
	}
	if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return 0, false
	}
	return l.zone(io.LimitReader(c, maxTransfer))
}

// zone reads the messages of a transfer, until the record that began it comes
// again.
func (l *look) zone(r io.Reader) (records int, done bool) {
	for starts := 0; starts < 2; {
		var size [2]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return records, false
		}
		b := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(r, b); err != nil {
			return records, false
		}
		n, soa, ok := l.part(b)
		records, starts = records+n, starts+soa
		if !ok || n == 0 { // broken, or refused
			return records, ok
		}
	}
	return records, true
}

// part reads one message of a transfer: how many records it has, none when it
// refuses, and how many of them are the beginning of a zone. ok is false when
// it cannot be read.
func (l *look) part(b []byte) (records, soa int, ok bool) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || !h.Response || p.SkipAllQuestions() != nil {
		return 0, 0, false
	}
	if h.RCode != dnsmessage.RCodeSuccess {
		return 0, 0, true
	}
	for records < maxPerMessage {
		rh, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return records, soa, true
		}
		if err != nil {
			return records, soa, false
		}
		if rh.Type == dnsmessage.TypeSOA {
			soa++
		}
		address, err := addressIn(&p, rh.Type)
		if err != nil {
			return records, soa, false
		}
		records++
		l.found(rh.Name.String(), address)
	}
	return records, soa, true
}

// addressIn takes the record that comes next, and returns its address when it
// is one.
func addressIn(p *dnsmessage.Parser, t dnsmessage.Type) (string, error) {
	switch t {
	case dnsmessage.TypeA:
		r, err := p.AResource()
		return netip.AddrFrom4(r.A).String(), err
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		return netip.AddrFrom16(r.AAAA).String(), err
	}
	return "", p.SkipAnswer()
}
