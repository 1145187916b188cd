package bill_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leeward-ctem/leeward/discover/report/cyclonedx"
	"github.com/leeward-ctem/leeward/discover/scan/bill"
	"github.com/leeward-ctem/leeward/exposure"
)

var components = []exposure.Component{
	{Purl: "pkg:npm/b@2.0.0", Name: "b", Version: "2.0.0", Path: "y/package-lock.json", License: "MIT"},
	{Purl: "pkg:golang/example.com/a@1.0.0", Name: "example.com/a", Version: "1.0.0", Path: "go.mod"},
	{Purl: "pkg:npm/b@2.0.0", Name: "b", Version: "2.0.0", Path: "x/package-lock.json"},
	{Name: "no \"purl\" & <more>", Path: "lib/x.jar"},
}

func subject(kind exposure.AssetKind) *bill.Subject {
	s := &bill.Subject{Name: "shop", Version: "1.2.3", Time: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
	s.Asset.Kind = kind
	if kind == exposure.AssetImage {
		s.Asset.Add(exposure.IDDigest, "sha256:abc")
	}
	return s
}

func TestCycloneDX(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := bill.WriteCycloneDX(&b, subject(exposure.AssetImage), components); err != nil {
		t.Fatal(err)
	}
	var doc cdx.BOM
	strict := cdx.NewBOMDecoder(bytes.NewReader(b.Bytes()), cdx.BOMFileFormatJSON)
	if err := strict.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	// Required by the schema: bomFormat, specVersion; of components type and
	// name; the serial number has the form of a UUID.
	if doc.BOMFormat != "CycloneDX" || doc.SpecVersion != cdx.SpecVersion1_6 || doc.Version != 1 ||
		!regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(doc.SerialNumber) {
		t.Errorf("head: %+v", doc)
	}
	if c := doc.Metadata.Component; c.Type != cdx.ComponentTypeContainer || c.Name != "shop" || c.Version != "sha256:abc" {
		t.Errorf("subject: %+v", c)
	}
	refs := map[string]bool{}
	for _, c := range *doc.Components {
		if c.Type == "" || c.Name == "" || c.BOMRef == "" || refs[c.BOMRef] {
			t.Errorf("component: %+v", c)
		}
		refs[c.BOMRef] = true
	}
	if n := len(*(*doc.Components)[0].Evidence.Occurrences); n != 2 {
		t.Errorf("b lies in %d places", n)
	}

	var read []exposure.Component
	for o, err := range (cyclonedx.Reader{}).Read(t.Context(), bytes.NewReader(b.Bytes())) {
		if err != nil {
			t.Error(err)
		} else if o.Kind == exposure.ObservedInventory && o.Component != (exposure.Component{}) {
			read = append(read, o.Component)
		}
	}
	want := []exposure.Component{
		{Purl: "pkg:npm/b@2.0.0", Name: "b", Version: "2.0.0", License: "MIT"},
		{Purl: "pkg:golang/example.com/a@1.0.0", Name: "example.com/a", Version: "1.0.0"},
		{Name: "no \"purl\" & <more>"},
	}
	byName := cmpopts.SortSlices(func(a, b exposure.Component) bool { return a.Name < b.Name })
	if diff := cmp.Diff(want, read, byName); diff != "" {
		t.Errorf("our reader (-want +got):\n%s", diff)
	}
}

func TestSPDX(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := bill.WriteSPDX(&b, subject(exposure.AssetRepository), components); err != nil {
		t.Fatal(err)
	}
	// Required by the schema: what is asserted below, of every element.
	var doc struct {
		SPDXVersion, DataLicense, SPDXID, Name, DocumentNamespace string
		CreationInfo                                              struct {
			Created  string
			Creators []string
		}
		Packages []struct {
			SPDXID, Name, DownloadLocation string
			FilesAnalyzed                  *bool
			ExternalRefs                   []struct{ ReferenceCategory, ReferenceType, ReferenceLocator string }
		}
		Relationships []struct{ SpdxElementID, RelationshipType, RelatedSpdxElement string }
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.SPDXVersion != "SPDX-2.3" || doc.DataLicense != "CC0-1.0" || doc.SPDXID != "SPDXRef-DOCUMENT" || doc.Name != "shop" ||
		!strings.HasPrefix(doc.DocumentNamespace, "urn:uuid:") || doc.CreationInfo.Created != "2026-05-04T03:02:01Z" || len(doc.CreationInfo.Creators) != 1 {
		t.Errorf("head: %+v", doc)
	}
	var purls []string
	ids := map[string]bool{"SPDXRef-DOCUMENT": true}
	for _, p := range doc.Packages {
		if p.Name == "" || p.DownloadLocation != "NOASSERTION" || p.FilesAnalyzed == nil || *p.FilesAnalyzed || ids[p.SPDXID] ||
			!regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`).MatchString(p.SPDXID) {
			t.Errorf("package: %+v", p)
		}
		ids[p.SPDXID] = true
		for _, r := range p.ExternalRefs {
			if r.ReferenceCategory != "PACKAGE-MANAGER" || r.ReferenceType != "purl" {
				t.Errorf("reference: %+v", r)
			}
			purls = append(purls, r.ReferenceLocator)
		}
	}
	slices.Sort(purls)
	if diff := cmp.Diff([]string{"pkg:golang/example.com/a@1.0.0", "pkg:npm/b@2.0.0"}, purls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(doc.Packages) != 4 || len(doc.Relationships) != 4 {
		t.Errorf("%d packages, %d relationships", len(doc.Packages), len(doc.Relationships))
	}
	for _, r := range doc.Relationships {
		if !ids[r.SpdxElementID] || !ids[r.RelatedSpdxElement] || r.RelationshipType == "" {
			t.Errorf("%+v leads nowhere", r)
		}
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	turned := slices.Clone(components)
	slices.Reverse(turned)
	for name, write := range map[string]func(*bytes.Buffer, []exposure.Component) error{
		"CycloneDX": func(b *bytes.Buffer, c []exposure.Component) error {
			return bill.WriteCycloneDX(b, subject(exposure.AssetRepository), c)
		},
		"SPDX": func(b *bytes.Buffer, c []exposure.Component) error {
			return bill.WriteSPDX(b, subject(exposure.AssetRepository), c)
		},
	} {
		var one, two, none bytes.Buffer
		if err := write(&one, components); err != nil {
			t.Fatal(err)
		}
		if err := write(&two, turned); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%s depends on the order, %v:\n%s\n%s", name, err, &one, &two)
		}
		if err := write(&none, nil); err != nil || !json.Valid(none.Bytes()) {
			t.Errorf("%s of nothing: %v: %s", name, err, &none)
		}
	}
}
