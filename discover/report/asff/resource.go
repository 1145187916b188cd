package asff

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// asset is the n-th resource of a finding.
func asset(v, resource record.Value, n int) exposure.AssetRef {
	kind, id := resource.Text("Type"), resource.Text("Id")
	a := exposure.AssetRef{Kind: assetKind(kind)}
	switch kind {
	case "AwsEc2Instance":
		instance(&a, v, resource)
		a.OS = platform(v, n, "awsEc2InstanceDetails")
	case "AwsEcrContainerImage":
		image(&a, resource)
		a.OS = platform(v, n, "awsEcrContainerImageDetails")
	case "Container":
		if name := resource.Text("Details.Container.ImageName"); name != "" {
			a = term.Image(name)
			_, system, _ := strings.Cut(strings.TrimSuffix(name, ")"), " (")
			a.OS = system
		}
	case "CodeRepository", "GitHubRepository":
		a.Add(exposure.IDRepository, id)
	case "AwsLambdaFunction":
		// Behind the name may stand a version.
		if parts := strings.SplitN(id, ":", 8); len(parts) == 8 && parts[5] == "function" {
			id = strings.Join(parts[:7], ":")
		}
	}
	if len(a.Identifiers) == 0 {
		identify(&a, v, resource, id)
	}
	if tag := resource.At("Tags"); tag.IsObject() && a.Kind == exposure.AssetHost {
		a.Name = tag.Text("Name")
	}
	if len(a.Identifiers) == 0 {
		return exposure.AssetRef{}
	}
	return a
}

// identify names a resource by its ARN, or by what AWS has in its place. Any
// other name is one within the account and region.
func identify(a *exposure.AssetRef, v, resource record.Value, id string) {
	if strings.HasPrefix(id, "arn:") || strings.HasPrefix(id, "AWS::") {
		a.Add(exposure.IDCloud, id)
	} else if id != "" {
		a.Add(exposure.IDName, strings.Join([]string{v.Text("AwsAccountId"), cmp.Or(resource.Text("Region"), v.Text("Region")), resource.Text("Type"), id}, "/"))
	}
}

func assetKind(kind string) exposure.AssetKind {
	switch kind {
	case "AwsEc2Instance":
		return exposure.AssetHost
	case "AwsEcrContainerImage", "Container":
		return exposure.AssetImage
	case "AwsIamUser", "AwsIamRole", "AwsIamGroup", "AwsIamAccessKey", "AwsIamPolicy":
		return exposure.AssetIdentity
	case "AwsS3Bucket", "AwsS3Object", "AwsRdsDbInstance", "AwsRdsDbCluster", "AwsDynamoDbTable", "AwsRedshiftCluster":
		return exposure.AssetDataStore
	case "CodeRepository", "GitHubRepository":
		return exposure.AssetRepository
	}
	return exposure.AssetCloudResource
}

// instance names a virtual machine by its ARN, by its id, which is unique in all
// of AWS, and by its addresses.
func instance(a *exposure.AssetRef, v, resource record.Value) {
	id, region, account := resource.Text("Id"), cmp.Or(resource.Text("Region"), v.Text("Region")), v.Text("AwsAccountId")
	if strings.HasPrefix(id, "arn:") {
		a.Add(exposure.IDCloud, id)
		id = id[strings.LastIndexByte(id, '/')+1:]
	} else if strings.HasPrefix(id, "i-") && region != "" && account != "" {
		a.Add(exposure.IDCloud, fmt.Sprintf("arn:%s:ec2:%s:%s:instance/%s", cmp.Or(resource.Text("Partition"), "aws"), region, account, id))
	}
	if strings.HasPrefix(id, "i-") {
		a.Add(exposure.IDCloud, id)
	}
	details := resource.At("Details.AwsEc2Instance")
	if !details.IsObject() {
		return
	}
	if len(a.Identifiers) == 0 {
		identify(a, v, resource, id)
	}
	for _, list := range []string{"IpV4Addresses", "IpV6Addresses"} {
		for _, ip := range details.Texts(list) {
			a.Add(exposure.IDIP, ip)
		}
	}
}

// image names an image of a registry by its tags, which outlive the digest.
func image(a *exposure.AssetRef, resource record.Value) {
	details := resource.At("Details.AwsEcrContainerImage")
	parts := strings.SplitN(resource.Text("Id"), ":", 6)
	if !details.IsObject() || len(parts) < 6 {
		return
	}
	repository := details.Text("RepositoryName")
	registry := fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com", cmp.Or(details.Text("RegistryId"), parts[4]), parts[3])
	if parts[1] == "aws-cn" {
		registry += ".cn"
	}
	for _, tag := range details.Texts("ImageTags") {
		if repository != "" {
			a.Add(exposure.IDImage, registry+"/"+repository+":"+tag)
		}
	}
	if len(a.Identifiers) == 0 {
		a.Add(exposure.IDCloud, resource.Text("Id"))
	}
	if repository != "" {
		a.Name = registry + "/" + repository
	}
	if len(a.Identifiers) > 0 && a.Identifiers[0].Kind == exposure.IDImage {
		a.Name = ""
	}
	a.Add(exposure.IDDigest, details.Text("ImageDigest"))
}

// platform is the operating system of the n-th resource, as Inspector states it.
func platform(v record.Value, n int, of string) string {
	return v.At("ProductFields").Member(fmt.Sprintf("aws/inspector/resources/%d/resourceDetails/%s/platform", n, of)).Text()
}

// other takes what products without fields of their own put beside a resource.
func other(o *exposure.Observation, resource record.Value) {
	more := resource.At("Details.Other")
	if !more.IsObject() {
		return
	}
	id := more.Member("CVE ID").Text()
	if !term.IsAdvisory(id) {
		return
	}
	o.Advisories, o.Rule = []string{exposure.NormalAdvisory(id)}, id
	o.Title = cmp.Or(more.Member("CVE Title").Text(), o.Title)
	o.Component = exposure.Component{Name: more.Text("PkgName"), Version: more.Member("Installed Package").Text(), Fixed: more.Member("Patched Package").Text()}
	o.Component.Purl = term.SystemPurl(o.Asset.OS, o.Component.Name, o.Component.Version)
	for _, vector := range []string{"NvdCvssVectorV3", "NvdCvssVectorV2"} {
		o.CVSS = append(o.CVSS, term.Vectors(more.Text(vector))...)
	}
}
