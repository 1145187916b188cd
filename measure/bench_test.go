package measure_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/leeward-ctem/leeward/measure"
)

// manySpans is five million spans of an ordinary estate.
func manySpans() []measure.Span {
	r := rand.New(rand.NewPCG(11, 12))
	spans := make([]measure.Span, 5_000_000)
	for i := range spans {
		spans[i] = measure.Span{Days: int32(r.ExpFloat64() * 80), Fixed: r.IntN(4) > 0}
	}
	return spans
}

// The limit is reading the spans once.
func BenchmarkKaplanMeier5M(b *testing.B) {
	spans := manySpans()
	b.ResetTimer()
	for b.Loop() {
		c := measure.KaplanMeier(spans)
		if c.Total != len(spans) {
			b.Fatal(c.Total)
		}
	}
	took := b.Elapsed() / time.Duration(b.N)
	var sum int64
	start := time.Now()
	for range 5 {
		for i := range spans {
			sum += int64(spans[i].Days)
		}
	}
	limit := time.Since(start) / 5
	if sum == 0 {
		b.Fatal("nothing was read")
	}
	b.ReportMetric(float64(len(spans))/took.Seconds()/1e6, "Mspans/s")
	b.ReportMetric(limit.Seconds()/took.Seconds(), "of_limit")
}

func BenchmarkLogRank5M(b *testing.B) {
	spans := manySpans()
	b.ResetTimer()
	for b.Loop() {
		if _, p := measure.LogRank(spans[:2_500_000], spans[2_500_000:]); p == 0 {
			b.Fatal("two halves of one sample differ")
		}
	}
}

func BenchmarkSpans5M(b *testing.B) {
	spans := manySpans()
	histories := make([]measure.History, len(spans))
	for i, s := range spans {
		histories[i] = measure.History{First: 20_000 - int(s.Days)}
	}
	b.ResetTimer()
	for b.Loop() {
		if got := measure.Spans(slices.Values(histories), 20_000); len(got) != len(spans) {
			b.Fatal(len(got))
		}
	}
}
