package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	criclient "k8s.io/cri-client/pkg"
)

const (
	containerdEndpoint = "unix:///run/containerd/containerd.sock"
	containerdDeadline = 10 * time.Second
)

// inspectImage is `crictl inspecti IMAGE`, the one use that kind makes of crictl:
// with it, `kind load` skips the images that a node has already.
func inspectImage(arguments []string) error {
	if len(arguments) != 2 || arguments[0] != "inspecti" {
		return fmt.Errorf("usage: crictl inspecti IMAGE")
	}
	service, err := criclient.NewRemoteImageService(containerdEndpoint, containerdDeadline, nil, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), containerdDeadline)
	defer cancel()
	response, err := service.ImageStatus(ctx, &runtimeapi.ImageSpec{Image: arguments[1]}, false)
	if err != nil {
		return err
	}
	if response.Image == nil {
		return fmt.Errorf("no such image: %s", arguments[1])
	}
	var found struct {
		Status struct {
			ID       string   `json:"id"`
			RepoTags []string `json:"repoTags"`
		} `json:"status"`
	}
	found.Status.ID = response.Image.Id
	found.Status.RepoTags = response.Image.RepoTags
	return json.NewEncoder(os.Stdout).Encode(found)
}
