package volcengine

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/world"
)

// The values of process_status.
const (
	completed  = 0
	failed     = 1
	queued     = 2
	processing = 6
	deleting   = 5
)

// status is process_status. The values that no phase has (3 is updating, 4
// was never documented) stand in the plan.
func status(st world.State) int {
	if n, err := strconv.Atoi(st.Raw); err == nil {
		return n
	}
	switch {
	case st.Phase == world.Completed:
		return completed
	case st.Phase == world.Failed:
		return failed
	case st.Phase == world.Deleting:
		return deleting
	case st.Phase.Working():
		return processing
	}
	return queued
}

// documentRow is one document. unit renders its times: doc/info counts
// milliseconds and the lists seconds, for the same document.
func (f *face) documentRow(kb *world.KnowledgeBase, d *world.Document, unit func(time.Time) int64) object {
	st := f.s.State(d)
	row := object{
		"collection_name": kb.Name, "doc_id": d.ID, "doc_name": d.Name, "doc_type": docType(d),
		"title": strings.TrimSuffix(d.Name, path.Ext(d.Name)), "doc_hash": world.Digest("hash", world.Volcengine, d.Seq)[:32],
		"add_type": addType(d.Source), "added_by": "user@example.com",
		"create_time": unit(d.Created), "update_time": unit(touched(d, st)),
		"status": statusRow(d, st),
	}
	origin(row, d)
	setMeta(row, d)
	if d.Labels != nil {
		row["labels"] = d.Labels
	}
	if status(st) != completed {
		return row
	}
	row["point_num"] = st.ChunksTotal
	row["total_tokens"], row["doc_summary_tokens"] = utf8.RuneCountInString(d.Text), 0
	row["statistics"] = object{
		"pages": 0, "lines": strings.Count(d.Text, "\n") + 1, "cells": 0,
		"chars": utf8.RuneCountInString(d.Text), "images": 0, "tables": 0,
	}
	return row
}

// touched is update_time: the last change of state moves it too.
func touched(d *world.Document, st world.State) time.Time {
	if st.Since.After(d.Updated) {
		return st.Since
	}
	return d.Updated
}

// statusRow has the failure's code as a number for one half of the
// documents and as text for the other, as different importers write it.
func statusRow(d *world.Document, st world.State) object {
	row := object{"process_status": status(st)}
	if status(st) != failed {
		return row
	}
	if n, err := strconv.Atoi(st.Code); err == nil && d.Seq%2 == 0 {
		row["failed_code"] = n
	} else if st.Code != "" {
		row["failed_code"] = st.Code
	}
	if st.Message != "" {
		row["failed_msg"] = st.Message
	}
	return row
}

// origin fills in where the content is: a TOS path, or a URL whose query
// carries credentials. A console upload has neither, nor has a Lark document,
// which has no size either.
func origin(row object, d *world.Document) {
	if d.Source == "lark" {
		return
	}
	row["doc_size"] = d.Size
	if d.Seq%2 == 1 {
		row["doc_size"] = strconv.Itoa(d.Size) // older imports
	}
	if d.Source == "object_storage" {
		row["tos_path"] = "sandbox-bucket/" + d.Name
		if at, ok := strings.CutPrefix(d.URL, "tos://"); ok {
			row["tos_path"] = at
		}
		return
	}
	if d.Source != "web" {
		return
	}
	at := cmp.Or(d.URL, "https://sandbox-bucket.tos-cn-beijing.volces.com/"+url.PathEscape(d.Name))
	if !strings.Contains(at, "?") {
		at += "?X-Tos-Algorithm=TOS4-HMAC-SHA256&X-Tos-Credential=SANDBOX&X-Tos-Expires=3600&X-Tos-Signature=" +
			world.Digest("signature", world.Volcengine, d.Seq)
	}
	row["url"] = at
}

// setMeta is the metadata: a JSON array inside a string. A document without
// any has "[]", null or nothing at all.
func setMeta(row object, d *world.Document) {
	if len(d.Metadata) == 0 {
		switch d.Seq % 3 {
		case 0:
			row["meta"] = "[]"
		case 1:
			row["meta"] = nil
		}
		return
	}
	var fields []object
	for _, field := range d.Metadata {
		fields = append(fields, object{
			"field_name": field.Name, "field_type": fieldType(field), "field_value": field.Value,
		})
	}
	text, _ := json.Marshal(fields) // made of JSON values: cannot fail
	row["meta"] = string(text)
}

func fieldType(field world.Field) string {
	switch field.Type {
	case "number":
	case "time":
		return "string"
	default:
		return field.Type // already one of the platform's
	}
	if n, ok := field.Value.(float64); ok && n != math.Trunc(n) {
		return "float32"
	}
	return "int64"
}

func addType(source string) string {
	return cmp.Or(map[string]string{"web": "url", "object_storage": "tos", "lark": "lark"}[source], "tos_fe") // put in through the console
}

func docType(d *world.Document) string {
	switch {
	case d.Source == "lark":
		return cmp.Or(d.Format, "wiki")
	case strings.HasSuffix(d.Name, ".faq.xlsx"):
		return "faq.xlsx"
	case d.Format == "md":
		return "markdown"
	case d.Format == "jpg":
		return "jpeg"
	}
	return d.Format
}
