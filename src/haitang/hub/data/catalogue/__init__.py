"""The registry of what data there is: resources, their fields, code tables; who provides them, how fresh and how good they are, who may use them."""
