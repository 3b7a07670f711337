import torch
from _probe import step

x, edges = torch.rand(3, 4), torch.tensor([[0, 1, 2], [1, 2, 0]])


@step("layers forward and backward")
def _():
    from torch_geometric import nn

    for layer in (nn.GCNConv, nn.GATv2Conv, nn.SAGEConv, nn.TransformerConv, nn.GraphConv):
        layer(4, 2)(x, edges).sum().backward()


@step("DataLoader, to_hetero, transforms")
def _():
    from torch_geometric import transforms
    from torch_geometric.data import Data, HeteroData
    from torch_geometric.loader import DataLoader
    from torch_geometric.nn import SAGEConv, to_hetero

    for batch in DataLoader([Data(x=x, edge_index=edges)] * 4, batch_size=2):
        transforms.ToUndirected()(batch)
    data = HeteroData()
    data["a"].x, data["b"].x = torch.rand(3, 4), torch.rand(2, 4)
    data["a", "r", "b"].edge_index = torch.tensor([[0, 1], [0, 1]])
    data["b", "s", "a"].edge_index = torch.tensor([[0, 1], [0, 1]])

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = SAGEConv((-1, -1), 4)

        def forward(self, x, edge_index):
            return self.layer(x, edge_index)

    to_hetero(Net(), data.metadata())(data.x_dict, data.edge_index_dict)
