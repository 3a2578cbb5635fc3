package coze

import (
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// datasetsAnswer has its payload under data, or at the top.
type datasetsAnswer struct {
	head
	datasets
	Data datasets `json:"data"`
}

type datasets struct {
	Total rest.Num  `json:"total_count"`
	List  []dataset `json:"dataset_list"`
}

func (r datasets) given() bool           { return r.List != nil || r.Total.Valid }
func (a *datasetsAnswer) given() bool    { return a.datasets.given() || a.Data.given() }
func (a *datasetsAnswer) about() subject { return subject{"The space", "listKnowledge"} }

func (a *datasetsAnswer) payload() datasets {
	if a.Data.given() {
		return a.Data
	}
	return a.datasets
}

// dataset is a knowledge base.
type dataset struct {
	ID          rest.ID  `json:"dataset_id"`
	Name        rest.Str `json:"name"`
	Description rest.Str `json:"description"`
	Status      rest.Num `json:"status"`       // 1 enabled, 3 not
	FormatType  rest.Num `json:"format_type"`  // from 3 on: databases and Volcano's, idl only
	DatasetType rest.Num `json:"dataset_type"` // 1: Volcano's, idl only
	DocCount    rest.Num `json:"doc_count"`
	SliceCount  rest.Num `json:"slice_count"`
	FileSize    rest.Num `json:"all_file_size"` // bytes, a decimal string
	CreateTime  rest.Num `json:"create_time"`   // seconds
	// Busy are ids, Failed names; null when the platform does not list them.
	Busy       []rest.ID  `json:"processing_file_id_list"`
	Failed     []rest.Str `json:"failed_file_list"`
	UpdateTime rest.Num   `json:"update_time"`
	CanEdit    rest.Flag  `json:"can_edit"` // false: of another owner, every write is refused
}

// foreign reports whether no other endpoint works on it.
func (w dataset) foreign() bool { return w.DatasetType.Int == 1 || w.FormatType.Int >= 3 }

// normal is the knowledge base in our words. On studio all_file_size counts the
// characters of the chunks.
func (w dataset) normal(onStudio bool) vendors.KnowledgeBase {
	k := vendors.KnowledgeBase{
		KnowledgeBaseID: string(w.ID), Name: string(w.Name), Description: string(w.Description),
		Kind:          kindOfFormat(w.FormatType),
		DocumentCount: w.DocCount.Count(), ChunkCount: w.SliceCount.Count(), SizeBytes: w.FileSize.Count(),
		CreatedAt: vendors.Seconds(w.CreateTime.Int), UpdatedAt: vendors.Seconds(w.UpdateTime.Int),
	}
	if onStudio {
		k.SizeBytes = nil
	}
	if w.Busy != nil && w.Failed != nil {
		n := len(w.Busy) + len(w.Failed)
		k.Pending = &n
		for _, id := range w.Busy {
			k.Busy = append(k.Busy, string(id))
		}
	}
	if on := w.Status.Int == 1; on || w.Status.Int == 3 {
		k.Enabled = &on
	}
	return k
}

// workspacesAnswer has its payload under data, or at the top.
type workspacesAnswer struct {
	head
	workspaces
	Data workspaces `json:"data"`
}

type workspaces struct {
	Total rest.Num `json:"total_count"`
	List  []struct {
		ID rest.ID `json:"id"`
	} `json:"workspaces"`
}

func (r workspaces) given() bool        { return r.List != nil || r.Total.Valid }
func (a *workspacesAnswer) given() bool { return a.workspaces.given() || a.Data.given() }
func (a *workspacesAnswer) about() subject {
	return subject{"The account", "listWorkspace (unless COZE_SPACE_ID is set)"}
}

func (a *workspacesAnswer) payload() workspaces {
	if a.Data.given() {
		return a.Data
	}
	return a.workspaces
}
