package config

import (
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// functions are what rules have beside CEL's own: settings are often missing, or
// of another type than expected, and neither must be a mistake.
func functions() []cel.EnvOption {
	one := func(name string, result *cel.Type, f func(any) any) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_dyn", []*cel.Type{cel.DynType}, result, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.DefaultTypeAdapter.NativeToValue(f(native(v)))
		})))
	}
	return []cel.EnvOption{
		cel.Function("get", cel.Overload("get_dyn_string_dyn", []*cel.Type{cel.DynType, cel.StringType, cel.DynType}, cel.DynType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			path, _ := args[1].Value().(string)
			if v := lookup(native(args[0]), path); v != nil {
				return types.DefaultTypeAdapter.NativeToValue(v)
			}
			return args[2]
		}))),
		cel.Function("given", cel.Overload("given_dyn_string", []*cel.Type{cel.DynType, cel.StringType}, cel.BoolType, cel.BinaryBinding(func(v, path ref.Val) ref.Val {
			p, _ := path.Value().(string)
			return types.Bool(lookup(native(v), p) != nil)
		}))),
		one("list", cel.ListType(cel.DynType), func(v any) any { return listOf(v) }),
		one("text", cel.StringType, func(v any) any { return textOf(v) }),
		one("lower", cel.StringType, func(v any) any { return strings.ToLower(textOf(v)) }),
		one("yes", cel.BoolType, func(v any) any { return isYes(v) }),
		one("number", cel.DoubleType, func(v any) any { return numberOf(v) }),
		one("keys", cel.ListType(cel.DynType), func(v any) any { return keysOf(v) }),
	}
}

// lookup follows a path of names and numbers: spec.containers.0.name. It is nil
// where it leads nowhere.
func lookup(v any, path string) any {
	for path != "" {
		switch at := v.(type) {
		case map[string]any:
			if whole, ok := at[path]; ok {
				return whole // a name with dots
			}
			var name string
			name, path, _ = strings.Cut(path, ".")
			v = at[name]
		case []any:
			var name string
			name, path, _ = strings.Cut(path, ".")
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(at) {
				return nil
			}
			v = at[n]
		default:
			return nil
		}
	}
	return v
}

// native is a value of CEL as documents have it. Lists that a rule writes out are
// others than those of documents.
func native(v ref.Val) any {
	if v.Type() == types.NullType {
		return nil
	}
	written, ok := v.Value().([]ref.Val)
	if !ok {
		return v.Value()
	}
	all := make([]any, len(written))
	for i, x := range written {
		all[i] = native(x)
	}
	return all
}

// listOf is a list as it is, nothing as an empty one, and anything else as a list
// of itself.
func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return []any{}
	case []any:
		return v
	}
	return []any{v}
}

func keysOf(v any) []any {
	keys := []any{}
	if m, ok := v.(map[string]any); ok {
		for _, k := range sortedKeys(m) {
			keys = append(keys, k)
		}
	}
	return keys
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, textOf(x))
		}
		return strings.Join(all, " ")
	case map[string]any:
		var all []string
		for _, k := range sortedKeys(v) {
			all = append(all, k+"="+textOf(v[k]))
		}
		return strings.Join(all, " ")
	}
	return ""
}

func isYes(v any) bool {
	switch strings.ToLower(textOf(v)) {
	case "true", "yes", "on", "1", "enabled", "enable":
		return true
	}
	return false
}

// numberOf is NaN for what is no number, so that no comparison holds.
func numberOf(v any) float64 {
	if n, err := strconv.ParseFloat(strings.TrimSpace(textOf(v)), 64); err == nil {
		return n
	}
	return math.NaN()
}
