package inspector_test

import (
	"strings"
	"testing"

	"github.com/leeward-ctem/leeward/discover/decode"
	"github.com/leeward-ctem/leeward/discover/report/inspector"
	"github.com/leeward-ctem/leeward/discover/report/reporttest"
)

func TestReader(t *testing.T) { reporttest.Run(t, inspector.Reader{}) }
func TestCorpus(t *testing.T) { reporttest.Conform(t, inspector.Reader{}, "aws_inspector2") }
func FuzzReader(f *testing.F) { reporttest.Fuzz(f, inspector.Reader{}) }

// A page without findings is taken as the AWS CLI writes it, and says nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	const page = "{\n    \"findings\": []\n}\n"
	if !(inspector.Reader{}).Sniff(decode.NewHead([]byte(page))) {
		t.Error("a page without findings is not recognised")
	}
	if (inspector.Reader{}).Sniff(decode.NewHead([]byte(`{"findings": []}`))) {
		t.Error("an empty list of anyone is claimed")
	}
	for o, err := range (inspector.Reader{}).Read(t.Context(), strings.NewReader(page)) {
		if err != nil {
			t.Error(err)
		}
		if o.Run == nil {
			t.Errorf("%+v is stated", o)
		}
	}
}
